"""Replaying old events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from contracts import AnswerEvent, ReportEvent
from eventbus import erase, metrics, publish, statements, subscribe
from eventbus.dead_letters import redrive
from eventbus.deliveries import drain_all
from eventbus.leases import claim
from eventbus.models import Delivery, Event, Replay, ReplayState, Status
from eventbus.pausing import UnknownSubscriber, pause
from eventbus.replays import (
    CancelledAlready,
    FinishedAlready,
    NothingToReplay,
    OrderedAlready,
    ReplayRefused,
    Selection,
    cancel,
    carry_on,
    carry_out,
    place,
    under_way,
)
from eventbus.subscriptions import registry
from eventbus.sweeper import Sweeper
from eventbus.tests.making import (
    commit,
    effect,
    effects,
    evaluated,
    let_leases_run_out,
    let_retries_be_due,
    replay,
    saved,
)

pytestmark = pytest.mark.django_db(transaction=True)
A, B = UUID(int=0xA), UUID(int=0xB)


@pytest.fixture(autouse=True)
def _chain() -> None:
    @subscribe(AnswerEvent, name="test.evaluate", coalesce=True)
    def evaluate(event: AnswerEvent) -> None:
        publish(evaluated(event))

    @subscribe(ReportEvent, name="test.store", source="security")
    def store(event: ReportEvent) -> None:
        effect(event.report.revision)

    @subscribe(ReportEvent, name="test.mail", source="reports")
    def mail(event: ReportEvent) -> None: ...


def test_the_dry_run_counts_for_each_subscriber_and_changes_nothing() -> None:
    commit(saved(A, 1), saved(B, 2))
    drain_all()
    assert Selection(event_type="ReportEvent").count() == {"test.mail": 0, "test.store": 2}
    assert Selection(subscriber="test.evaluate").count() == {"test.evaluate": 2}
    assert (Replay.objects.count(), Delivery.objects.exclude(generation=0).count()) == (0, 0)


def test_a_replay_makes_a_generation_of_its_own_that_falls_due_at_its_rate() -> None:
    commit(*(saved(revision=number) for number in range(1, 11)))
    drain_all()
    made: list[int] = []
    order = replay(
        Selection(subscriber="test.store"), rate=2, by="Ada", progress=lambda order: made.append(order.deliveries)
    )
    assert (made, order.deliveries, order.started_by) == ([10], 10, "Ada")
    assert order.finished_at is not None
    new = Delivery.objects.filter(generation=order.pk).order_by("pk")
    assert new[0].due_at >= order.started_at
    assert [delivery.due_at - new[0].due_at for delivery in new] == [timedelta(seconds=n / 2) for n in range(10)]
    assert set(new.values_list("note", flat=True)) == {f"replay {order.pk} by Ada\n"}
    let_retries_be_due()
    drain_all()
    assert effects() == [str(number) for number in [*range(1, 11), *range(1, 11)]]


def test_an_order_makes_nothing_itself_and_the_sweeper_carries_it_out() -> None:
    commit(saved(), saved())
    drain_all()
    order = place(Selection(subscriber="test.store"), rate=50, by="Ada")
    assert (order.expected, order.deliveries, order.finished_at) == (2, 0, None)
    assert not Delivery.objects.exclude(generation=0).exists()
    Sweeper().sweep_once()
    order.refresh_from_db()
    assert (order.deliveries, order.finished_at is None) == (2, False)
    assert Delivery.objects.filter(generation=order.pk).count() == 2


def test_every_subscriber_gets_its_own_from_one_order() -> None:
    commit(saved())
    drain_all()
    with transaction.atomic():
        publish(replace(evaluated(saved()), state="new"))
    drain_all()
    order = replay(Selection(event_type="ReportEvent"), rate=1, by="Ada")
    made = Delivery.objects.filter(generation=order.pk).order_by("due_at")
    assert list(made.values_list("subscriber", flat=True)) == ["test.mail", "test.store"]
    assert made[1].due_at - made[0].due_at == timedelta(seconds=1)


def test_what_a_killed_process_began_another_one_goes_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        """Nothing catches it, as nothing catches SIGKILL."""

    def die(order: Replay) -> None:
        raise Killed

    monkeypatch.setattr("eventbus.replays.BATCH", 2)
    commit(*(saved() for _ in range(5)))
    drain_all()
    with pytest.raises(Killed):
        replay(Selection(subscriber="test.store"), rate=1, by="Ada", progress=die)
    order = Replay.objects.get()
    assert (order.deliveries, order.finished_at) == (2, None)
    assert Delivery.objects.filter(generation=order.pk).finish(Status.DONE) == 2

    carry_on(seconds=60)

    order.refresh_from_db()
    made = Delivery.objects.filter(generation=order.pk).order_by("due_at")
    assert (order.deliveries, order.finished_at is None, made.count()) == (5, False, 5)
    assert len(set(made.values_list("event", flat=True))) == 5
    assert made[4].due_at - made[0].due_at >= timedelta(seconds=4)


def test_what_nobody_was_there_to_make_does_not_come_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventbus.replays.BATCH", 2)
    commit(saved(), saved(), saved())
    drain_all()
    order = place(Selection(subscriber="test.store"), rate=1, by="Ada")
    ordered = order.started_at

    def let_an_hour_pass(order: Replay) -> None:
        Replay.objects.update(next_due_at=Now() - timedelta(hours=1))

    Replay.objects.update(started_at=Now() - timedelta(hours=1))
    carry_out(order.pk, let_an_hour_pass)
    dues = list(Delivery.objects.filter(generation=order.pk).order_by("pk").values_list("due_at", flat=True))
    assert dues[0] >= ordered
    assert dues[1] == dues[0] + timedelta(seconds=1)
    assert dues[2] >= ordered


def test_what_an_earlier_version_began_is_not_gone_on_with() -> None:
    Replay.objects.create(rate=1, started_by="Ada", subscriber="test.store", deliveries=3)
    migration = import_module("eventbus.migrations.0006_replay_orders")
    migration.close_earlier_orders(apps, connection.schema_editor())
    (order,) = Replay.objects.with_progress()
    assert (order.state, order.expected, order.finished_at) == (ReplayState.FINISHED, 3, order.started_at)
    assert not Replay.objects.unfinished().exists()


def test_an_order_of_another_version_is_left_to_it_and_holds_up_no_other() -> None:
    commit(saved())
    drain_all()
    theirs = place(Selection(subscriber="test.store"), rate=50, by="Ada")
    Replay.objects.update(subscriber="test.later")
    ours = place(Selection(subscriber="test.evaluate"), rate=50, by="Ada")
    carry_on(seconds=60)
    assert Replay.objects.get(pk=theirs.pk).finished_at is None
    assert Replay.objects.get(pk=ours.pk).deliveries == 1


def test_a_replay_of_nothing_is_refused() -> None:
    commit(saved())
    drain_all()
    with pytest.raises(NothingToReplay, match="there is nothing to replay"):
        place(Selection(subscriber="test.mail"), rate=50, by="Ada")
    assert Replay.objects.count() == 0


def test_a_token_orders_once() -> None:
    commit(saved())
    drain_all()
    token = uuid4()
    order = place(Selection(subscriber="test.store"), rate=50, by="Ada", token=token)
    for _ in ("nothing is made", "everything waits"):
        with pytest.raises(OrderedAlready):
            place(Selection(subscriber="test.store"), rate=50, by="Ada", token=token)
        carry_out(order.pk)
    assert Replay.objects.count() == 1


@pytest.fixture
def one_order_per_person() -> Iterator[None]:
    """Another unique constraint than the token's, in the database at hand."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX one_order_per_person ON eventbus_replay (started_by)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX one_order_per_person")


@pytest.mark.usefixtures("one_order_per_person")
def test_only_the_token_makes_an_order_one_that_was_given_already() -> None:
    commit(saved())
    drain_all()
    place(Selection(subscriber="test.store"), rate=50, by="Ada", token=uuid4())
    with pytest.raises(IntegrityError):
        place(Selection(subscriber="test.evaluate"), rate=50, by="Ada", token=uuid4())
    assert Replay.objects.count() == 1


# --- cancelling ----------------------------------------------------------------------------------------------------
def progress_of(order: Replay) -> tuple[str, int, int, int]:
    """Its state, and how many deliveries were handed on, wait, and were called off."""
    found = Replay.objects.with_progress().get(pk=order.pk)
    return str(found.state), found.handed_on, found.waiting, found.called_off


def test_what_was_handed_on_stays_and_the_rest_is_skipped() -> None:
    commit(*(saved(revision=number) for number in range(1, 6)))
    drain_all()
    order = replay(Selection(subscriber="test.store"), rate=50, by="Ada")
    mine = Delivery.objects.filter(generation=order.pk).order_by("pk")
    done, at_work = mine[0], mine[1]
    Delivery.objects.filter(pk=at_work.pk).update(due_at=Now())
    Delivery.objects.filter(pk=done.pk).finish(Status.DONE)
    Delivery.objects.filter(pk__in=[each.pk for each in mine[2:]]).update(due_at=Now() + timedelta(hours=1))
    (lease,) = claim(registry["test.store"])
    assert progress_of(order) == ("delivering", 2, 3, 0)

    cancel(order.pk, "Bob")
    assert progress_of(order) == ("cancelling", 2, 3, 0)
    carry_on(seconds=60)
    assert progress_of(order) == ("cancelling", 2, 0, 3)
    assert lease.row.get().lease_token == lease.token

    assert statements.done([lease.delivery.id], lease.token)
    carry_on(seconds=60)
    assert progress_of(order) == ("cancelled", 2, 0, 3)
    assert list(mine.values_list("status", flat=True)) == ["done", "done", "skipped", "skipped", "skipped"]
    assert set(mine.filter(status="skipped").values_list("last_error", flat=True)) == {
        f"replay {order.pk} was cancelled"
    }
    assert metrics.deliveries()["test.store", "cancelled"] == 3
    found = Replay.objects.get(pk=order.pk)
    assert (found.cancelled_by, found.cancelled_at is None, found.ended_at is None) == ("Bob", False, False)


def test_no_other_delivery_is_touched() -> None:
    commit(saved(A, 1), saved(B, 2))
    drain_all()
    earlier = replay(Selection(subscriber="test.evaluate"), rate=1, by="Ada")
    order = replay(Selection(subscriber="test.store"), rate=1, by="Ada")
    commit(saved(A, 3), saved(B, 4))
    Delivery.objects.filter(generation=0).undelivered().finish(Status.DONE)
    later = replay(Selection(subscriber="test.evaluate"), rate=1, by="Ada")
    commit(saved(A, 5))
    others = Delivery.objects.exclude(generation=order.pk).order_by("pk")
    before = list(others.values())
    cancel(order.pk, "Bob")
    carry_on(seconds=60)
    assert list(others.values()) == before
    assert set(Delivery.objects.undelivered().values_list("generation", flat=True)) == {0, earlier.pk, later.pk}


def test_an_attempt_that_fails_after_the_cancelling_is_the_last() -> None:
    commit(saved())
    drain_all()
    order = replay(Selection(subscriber="test.store"), rate=50, by="Ada")
    let_retries_be_due()
    (lease,) = claim(registry["test.store"])
    cancel(order.pk, "Bob")
    carry_on(seconds=60)
    assert progress_of(order) == ("cancelling", 1, 0, 0)
    failed = {"status": Status.READY, "lease_token": None, "leased_until": None}
    assert lease.row.update(**failed, due_at=Now() + timedelta(hours=1)) == 1
    carry_on(seconds=60)
    assert progress_of(order) == ("cancelled", 0, 0, 1)


def test_what_a_dead_worker_left_behind_is_cancelled_though_its_subscriber_is_paused() -> None:
    commit(saved())
    drain_all()
    order = replay(Selection(subscriber="test.store"), rate=50, by="Ada")
    let_retries_be_due()
    assert len(claim(registry["test.store"])) == 1
    pause("test.store", "Ada")
    let_leases_run_out()
    cancel(order.pk, "Bob")
    carry_on(seconds=60)
    assert progress_of(order) == ("cancelled", 0, 0, 1)


def test_what_is_not_made_yet_is_not_made_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventbus.replays.BATCH", 2)
    commit(*(saved() for _ in range(5)))
    drain_all()
    order = replay(Selection(subscriber="test.store"), rate=1, by="Ada", progress=cancel_once)
    assert order.deliveries == 2
    assert progress_of(order) == ("cancelled", 0, 0, 5)
    assert Delivery.objects.filter(generation=order.pk).count() == 2
    assert not Replay.objects.unfinished().exists()


def cancel_once(order: Replay) -> None:
    if order.cancelled_at is None:
        cancel(order.pk, "Bob")


def test_a_crash_in_the_midst_of_cancelling_leaves_the_rest_to_the_next_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        """Nothing catches it, as nothing catches SIGKILL."""

    def die(order: Replay) -> None:
        raise Killed

    monkeypatch.setattr("eventbus.replays.BATCH", 2)
    commit(*(saved() for _ in range(5)))
    drain_all()
    order = replay(Selection(subscriber="test.store"), rate=1, by="Ada")
    cancel(order.pk, "Bob")
    with pytest.raises(Killed):
        carry_out(order.pk, die)
    assert progress_of(order) == ("cancelling", 0, 3, 2)

    Sweeper().sweep_once()

    assert progress_of(order) == ("cancelled", 0, 0, 5)


def test_cancelling_twice_or_too_late_changes_nothing_and_is_told() -> None:
    commit(saved())
    drain_all()
    order = replay(Selection(subscriber="test.store"), rate=50, by="Ada")
    cancel(order.pk, "Bob")
    for _ in ("while it is carried out", "afterwards"):
        with pytest.raises(CancelledAlready) as caught:
            cancel(order.pk, "Eve")
        assert caught.value.order.cancelled_by == "Bob"
        carry_on(seconds=60)
    finished = replay(Selection(subscriber="test.store"), rate=50, by="Ada")
    let_retries_be_due()
    drain_all()
    with pytest.raises(FinishedAlready):
        cancel(finished.pk, "Eve")
    assert progress_of(finished) == ("finished", 1, 0, 0)
    with pytest.raises(Replay.DoesNotExist):
        cancel(999_999, "Eve")


def test_what_is_redriven_after_the_cancelling_is_delivered() -> None:
    commit(saved())
    drain_all()
    order = replay(Selection(subscriber="test.store"), rate=50, by="Ada")
    mine = Delivery.objects.filter(generation=order.pk)
    mine.finish(Status.DEAD, "no")
    order_too = replay(Selection(subscriber="test.evaluate"), rate=50, by="Ada")
    Delivery.objects.filter(generation=order_too.pk).update(generation=order.pk)
    cancel(order.pk, "Bob")
    carry_on(seconds=60)
    redrive(mine.all(), "Bob")
    carry_on(seconds=60)
    assert mine.get(subscriber="test.store").status == Status.READY


def test_replays_under_way_are_counted_by_how_far_they_are() -> None:
    commit(saved())
    drain_all()
    delivering = replay(Selection(subscriber="test.store"), rate=50, by="Ada")
    assert list(under_way().values()) == [0, 1, 0]
    place(Selection(subscriber="test.evaluate"), rate=50, by="Ada")
    assert list(under_way().values()) == [1, 1, 0]
    cancel(delivering.pk, "Bob")
    assert list(under_way().values()) == [1, 0, 1]
    carry_on(seconds=60)
    assert under_way() == {ReplayState.MAKING: 0, ReplayState.DELIVERING: 1, ReplayState.CANCELLING: 0}


def test_a_second_replay_has_the_next_generation() -> None:
    commit(saved())
    drain_all()
    first = replay(Selection(subscriber="test.store"), rate=50, by="Ada")
    drain_all()
    second = replay(Selection(subscriber="test.store"), rate=50, by="Ada")
    assert second.pk > first.pk
    generations = Delivery.objects.filter(subscriber="test.store").order_by("pk").values_list("generation", flat=True)
    assert list(generations) == [0, first.pk, second.pk]


def test_more_than_a_batch_is_replayed_whole() -> None:
    commit(saved(A, 1))
    event = Event.objects.get()
    drain_all()
    Event.objects.bulk_create(
        Event(
            uuid=UUID(int=n),
            type="AnswerEvent",
            source="answers",
            key=str(n),
            organisation=A,
            payload=event.payload,
            correlation_id=A,
        )
        for n in range(1100)
    )
    made: list[int] = []
    replay(
        Selection(subscriber="test.evaluate"), rate=1000, by="Ada", progress=lambda order: made.append(order.deliveries)
    )
    assert made == [500, 1000, 1101]


def test_what_was_erased_and_what_waits_anyway_is_left_out() -> None:
    commit(saved(A, 1), saved(B, 2))
    drain_all()
    erase(str(A))
    commit(saved(revision=3))
    assert Selection(subscriber="test.evaluate").count() == {"test.evaluate": 1}
    order = replay(Selection(subscriber="test.evaluate"), rate=50, by="Ada")
    assert list(Delivery.objects.filter(generation=order.pk).values_list("key", flat=True)) == [str(B)]


def test_what_an_earlier_replay_finishes_meanwhile_is_not_run_after() -> None:
    commit(saved(), saved(), saved())
    drain_all()
    earlier = replay(Selection(subscriber="test.store"), rate=1, by="Ada")
    running = Delivery.objects.undelivered().filter(generation=earlier.pk).order_by("pk")

    def finish_one(order: Replay | None = None) -> None:
        if next_one := running.first():
            Delivery.objects.filter(pk=next_one.pk).finish(Status.DONE)

    finish_one()
    assert replay(Selection(subscriber="test.store"), rate=50, by="Bob", progress=finish_one).deliveries == 1


def test_the_time_range_includes_its_begin_and_excludes_its_end() -> None:
    commit(saved(revision=1), saved(revision=2), saved(revision=3))
    days = [datetime(2026, 11, day, tzinfo=UTC) for day in (1, 2, 3)]
    for event, day in zip(Event.objects.order_by("pk"), days, strict=True):
        Event.objects.filter(pk=event.pk).update(created_at=day)
    Delivery.objects.all().delete()
    ranged = Selection(subscriber="test.evaluate", since=days[0], until=days[2])
    events = ranged.events_for(ranged.subscriptions()[0])
    assert list(events.order_by("pk").values_list("created_at", flat=True)) == days[:2]


def test_live_deliveries_do_not_wait_for_a_replay_of_their_key() -> None:
    seen: list[tuple[str, int]] = []
    subscribe(AnswerEvent, name="test.order")(lambda event: seen.append((event.key, event.answer.revision)))
    commit(saved(A, 1), saved(A, 2))
    drain_all()
    replay(Selection(subscriber="test.order"), rate=1, by="Ada")
    Delivery.objects.exclude(generation=0).update(due_at=Now() + timedelta(hours=1))
    commit(saved(A, 3))
    drain_all()
    assert seen == [(str(A), 1), (str(A), 2), (str(A), 3)]
    let_retries_be_due()
    drain_all()
    assert seen[3:] == [(str(A), 1), (str(A), 2)]


def test_what_makes_no_sense_is_refused_with_what_to_do() -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    with pytest.raises(ReplayRefused, match="name a type of events, a subscriber, or both"):
        Selection()
    with pytest.raises(
        ReplayRefused,
        match="there is no type 'Answer'; known are: AnswerEvent, MailEvent, OrganisationEvent, ReportEvent",
    ):
        Selection(event_type="Answer")
    with pytest.raises(UnknownSubscriber, match=r"there is no subscriber 'test\.nobody'"):
        Selection(subscriber="test.nobody")
    with pytest.raises(ReplayRefused, match="time range is empty"):
        Selection(subscriber="test.store", since=now, until=now)
    with pytest.raises(ReplayRefused, match="nobody of that name subscribes"):
        Selection(subscriber="test.store", event_type="AnswerEvent")
    for rate in (0, 1001):
        with pytest.raises(ReplayRefused, match="from 1 to 1000"):
            replay(Selection(subscriber="test.store"), rate=rate, by="Ada")


def test_a_staggered_replay_does_not_make_the_service_unwell() -> None:
    commit(saved())
    drain_all()
    replay(Selection(subscriber="test.store"), rate=1, by="Ada")
    future = Now() + timedelta(hours=1)
    Delivery.objects.exclude(generation=0).update(created_at=Now() - timedelta(hours=1), due_at=future, age_from=future)
    assert metrics.health().oldest == timedelta(0)
