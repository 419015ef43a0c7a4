"""Replaying old events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db.models.functions import Now

from contracts import AnswerEvent, ReportEvent
from eventbus import erase, metrics, publish, subscribe
from eventbus.deliveries import drain_all
from eventbus.models import Delivery, Event, Replay, Status
from eventbus.pausing import UnknownSubscriber
from eventbus.replays import ReplayRefused, Selection, replay
from eventbus.tests.making import commit, effect, effects, evaluated, let_retries_be_due, saved

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
    order = replay(Selection(subscriber="test.store"), rate=2, by="Ada", progress=made.append)
    assert (made, order.deliveries, order.started_by) == ([10], 10, "Ada")
    assert order.finished_at is not None
    new = Delivery.objects.filter(generation=order.pk).order_by("pk")
    assert [delivery.due_at - order.started_at for delivery in new] == [timedelta(seconds=n / 2) for n in range(10)]
    assert set(new.values_list("note", flat=True)) == {f"replay {order.pk} by Ada\n"}
    let_retries_be_due()
    drain_all()
    assert effects() == [str(number) for number in [*range(1, 11), *range(1, 11)]]


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
    replay(Selection(subscriber="test.evaluate"), rate=1000, by="Ada", progress=made.append)
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

    def finish_one(made: int = 0) -> None:
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
    with pytest.raises(ReplayRefused, match="there is no type 'Answer'; known are: AnswerEvent, ReportEvent"):
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
