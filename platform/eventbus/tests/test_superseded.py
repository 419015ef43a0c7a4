"""What newer events made pointless loses its contents, and nothing that somebody still needs does."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from contracts import AnswerEvent
from eventbus import NeverRetry, erase, metrics, publish, subscribe, superseded
from eventbus.deliveries import drain_all
from eventbus.models import Delivery, Event, Status
from eventbus.pausing import pause, resume
from eventbus.replays import Selection, carry_out, place
from eventbus.superseded import Emptier, empty_all
from eventbus.sweeper import Sweeper
from eventbus.tests.making import commit, evaluated, saved, statuses
from eventbus.traces import trace

pytestmark = pytest.mark.django_db(transaction=True)
A, B = UUID(int=0xA), UUID(int=0xB)
UNREADABLE = 666


@pytest.fixture(autouse=True)
def _subscriber(_bus_of_its_own: None) -> None:
    @subscribe(AnswerEvent, name="test.trace")
    def handler(event: AnswerEvent) -> None:
        if event.answer.revision == UNREADABLE:
            raise NeverRetry("no")


def emptied() -> list[bool]:
    """Whether each is empty, in the order in which they were published."""
    return [row.emptied_at is not None and row.payload == {} for row in Event.objects.order_by("pk")]


def test_a_draft_is_emptied_once_a_newer_one_is_stored_and_all_is_delivered() -> None:
    commit(saved(A, 1), saved(B, 1), saved(A, 2))
    assert empty_all() == 0
    drain_all()

    assert empty_all() == 1

    assert emptied() == [True, False, False]
    assert metrics.snapshot()["emptied_events"] == 1
    assert empty_all() == 0


def test_what_was_submitted_stays_and_empties_the_drafts_before_it() -> None:
    commit(saved(A, 1), saved(A, 2, "submitted"), saved(A, 3), saved(A, 4, "submitted"), saved(A, 5))
    drain_all()
    empty_all()
    assert emptied() == [True, False, True, False, False]


def test_each_type_and_source_has_a_newest_of_its_own() -> None:
    first, second = saved(A, 1), saved(A, 2)
    commit(first)
    with transaction.atomic():
        publish(evaluated(first))
        publish(evaluated(second))
    commit(second)
    drain_all()
    empty_all()
    assert emptied() == [True, True, False, False]


def test_what_is_paused_or_dead_keeps_its_contents(monkeypatch: pytest.MonkeyPatch) -> None:
    commit(saved(A, UNREADABLE), saved(A, 2))
    drain_all()
    pause("test.trace", "Ada")
    commit(saved(B, 1), saved(B, 2))
    drain_all()

    assert empty_all() == 0
    assert statuses() == ["dead", "done", "ready", "ready"]

    resume("test.trace", "Ada")
    drain_all()
    Delivery.objects.filter(status=Status.DEAD).finish(Status.SKIPPED)
    assert empty_all() == 2


def test_an_event_that_nobody_subscribes_to_is_emptied_too() -> None:
    with transaction.atomic():
        publish(evaluated(saved(A, 1)))
        publish(evaluated(saved(A, 2)))
    assert not Delivery.objects.exists()
    assert empty_all() == 1


def test_pages_meet_in_the_middle_of_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(superseded, "PAGE", 2)
    monkeypatch.setattr(superseded, "BATCH", 1)
    commit(*(saved(key, revision) for key in (A, B) for revision in range(1, 5)))
    drain_all()
    assert empty_all() == 6
    assert emptied() == [True, True, True, False] * 2


def test_it_is_done_by_the_sweeper_when_it_is_time_and_not_before() -> None:
    commit(saved(A, 1), saved(A, 2))
    drain_all()
    sweeper = Sweeper()
    sweeper.sweep_once()
    assert emptied() == [False, False]
    sweeper._emptier = Emptier(every=0)
    sweeper.sweep_once()
    assert emptied() == [True, False]


def test_a_turn_that_was_over_too_soon_is_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(superseded, "PAGE", 2)
    commit(saved(A, 1), saved(A, 2), saved(B, 1), saved(B, 2))
    drain_all()
    hurried = Emptier(every=0, seconds=-1)
    assert [hurried.empty_if_due() for _ in range(4)] == [1, 0, 1, 0]
    hurried.every = 3600
    hurried.empty_if_due()
    assert hurried.empty_if_due() is None


def test_what_was_erased_is_left_alone_and_what_was_emptied_is_erased_as_ever() -> None:
    commit(saved(A, 1), saved(A, 2))
    drain_all()
    empty_all()
    erase(str(A))
    assert Event.objects.filter(erased_at__isnull=False).count() == 2
    assert empty_all() == 0


def test_a_replay_leaves_it_out_and_the_dry_run_says_so() -> None:
    commit(saved(A, 1), saved(A, 2), saved(A, 3))
    drain_all()
    empty_all()
    selection = Selection(event_type="AnswerEvent", subscriber="test.trace")

    assert (selection.count(), selection.count_superseded()) == ({"test.trace": 1}, 2)
    out = StringIO()
    call_command("bus", "replay", "--type", "AnswerEvent", "--subscriber", "test.trace", "--dry-run", stdout=out)
    assert "Left out: 2 events that newer ones superseded; their contents were removed." in out.getvalue()

    carry_out(place(selection, rate=50, by="Ada").pk)
    assert Delivery.objects.filter(generation__gt=0).count() == 1


def test_what_a_replay_has_ordered_keeps_its_contents_until_it_is_delivered() -> None:
    commit(saved(A, 1), saved(A, 2))
    drain_all()
    carry_out(place(Selection(subscriber="test.trace"), rate=50, by="Ada").pk)
    assert empty_all() == 0
    Delivery.objects.undelivered().finish(Status.DONE)
    assert empty_all() == 1


def test_pages_say_that_it_was_superseded(admin_client: Client) -> None:
    first = saved(A, 1)
    commit(first, saved(A, 2))
    drain_all()
    empty_all()
    row = Event.objects.earliest("pk")

    def text(address: str) -> str:
        return re.sub(r"\s+", " ", admin_client.get(address).content.decode())

    assert "Superseded, contents removed." in text(f"/admin/eventbus/event/{row.pk}/change/")
    assert "superseded, contents removed" in text(f"/admin/eventbus/event/trace/{row.correlation_id}/")
    found = trace(row.correlation_id)
    assert found is not None
    assert [step.status for step in found.steps] == ["superseded", "done"]


def test_the_page_of_a_replay_names_what_it_leaves_out(admin_client: Client) -> None:
    commit(saved(A, 1), saved(A, 2))
    drain_all()
    empty_all()
    counted = admin_client.post("/admin/eventbus/replay/add/", {"event_type": "AnswerEvent", "rate": "50"})
    assert b"Left out: 1 event that was superseded by a newer one" in counted.content


def test_a_year_of_emptied_events_is_not_read_again(django_assert_max_num_queries: Callable[..., object]) -> None:
    key = uuid4()
    commit(*(saved(key, revision) for revision in range(1, 40)))
    drain_all()
    empty_all()
    with CaptureQueriesContext(connection) as asked:
        assert empty_all() == 0
    assert len(asked) == 1


@pytest.mark.sqlite
def test_what_has_contents_is_read_from_its_index_alone() -> None:
    with CaptureQueriesContext(connection) as asked:
        empty_all()
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + asked.captured_queries[0]["sql"])
        (plan,) = (row[-1] for row in cursor.fetchall())
    assert "USING COVERING INDEX event_contents_idx" in plan


@pytest.fixture
def admin_client(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin@example.org", "x", name="Ada"))
    return client
