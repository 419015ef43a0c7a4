"""Pruning: what was delivered long ago goes, what is not delivered stays; history slows nothing down."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from contracts import AnswerEvent, ReportEvent
from eventbus import NeverRetry, metrics, moments, publish, retention, subscribe
from eventbus.deliveries import drain, drain_all, sweep
from eventbus.models import Delivery, Event, Moment
from eventbus.retention import Pruned, Pruner, prune
from eventbus.sweeper import Sweeper
from eventbus.tests.making import ACME, commit, evaluated, saved

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _keep() -> object:
    with override_settings(EVENTBUS_KEEP_DELIVERIES=30, EVENTBUS_KEEP_EVENTS=365):
        yield


def trace() -> None:
    @subscribe(AnswerEvent, name="test.trace")
    def handler(event: AnswerEvent) -> None:
        if event.answer.revision == 666:
            raise NeverRetry("no")


def age(days: int, finished: int | None = None) -> None:
    """As if everything had been published, and delivered, so many days ago."""
    Event.objects.update(created_at=Now() - timedelta(days=days))
    Delivery.objects.update(created_at=Now() - timedelta(days=days))
    ended = days if finished is None else finished
    Delivery.objects.filter(finished_at__isnull=False).update(finished_at=Now() - timedelta(days=ended))


def test_done_deliveries_go_after_their_days_and_the_events_stay() -> None:
    trace()
    commit(saved(), saved())
    drain_all()
    age(31)
    commit(saved())
    drain_all()
    assert prune() == Pruned(deliveries=2, events=0)
    assert (Delivery.objects.count(), Event.objects.count()) == (1, 3)


def test_what_was_delivered_late_is_kept_from_then_on() -> None:
    trace()
    commit(saved())
    drain_all()
    age(40, finished=5)
    assert prune() == Pruned()


def test_events_go_after_their_days_with_their_finished_deliveries() -> None:
    trace()
    old = saved()
    commit(old)
    drain_all()
    moments.note("test.pushed", old.id)
    moments.write()
    age(366, finished=5)
    commit(saved())
    drain_all()
    assert prune() == Pruned(deliveries=1, events=1)
    assert (Delivery.objects.count(), Event.objects.count(), Moment.objects.count()) == (1, 1, 0)


def test_what_is_undelivered_or_dead_is_never_pruned() -> None:
    trace()
    commit(saved(revision=666))
    drain_all()
    commit(saved(revision=1), saved(revision=2))
    Delivery.objects.filter(pk=Delivery.objects.latest("pk").pk).update(
        status="leased", lease_token=uuid4(), leased_until=Now()
    )
    age(4000)
    assert prune() == Pruned()
    assert sorted(Delivery.objects.values_list("status", flat=True)) == ["dead", "leased", "ready"]
    assert Event.objects.count() == 3


def test_nought_days_keep_everything() -> None:
    trace()
    commit(saved())
    drain_all()
    age(4000)
    with override_settings(EVENTBUS_KEEP_DELIVERIES=0, EVENTBUS_KEEP_EVENTS=0):
        assert prune() == Pruned()


def test_it_goes_on_behind_a_batch_of_dead_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    trace()
    commit(*(saved(revision=666) for _ in range(5)), *(saved() for _ in range(5)))
    drain_all()
    age(366)
    seen: list[Pruned] = []
    pruned = prune(progress=lambda so_far: seen.append(Pruned(so_far.deliveries, so_far.events)))
    assert pruned == Pruned(deliveries=5, events=5)
    assert seen[2] == Pruned(deliveries=1)
    assert set(Delivery.objects.values_list("status", flat=True)) == {"dead"}


def test_when_its_time_is_over_it_says_that_there_is_more() -> None:
    assert prune(seconds=-1) == Pruned(complete=False)


def test_the_sweeper_prunes_when_it_is_time_and_not_before() -> None:
    trace()
    commit(saved())
    drain_all()
    age(31)
    sweeper = Sweeper()
    sweeper.sweep_once()
    assert Delivery.objects.count() == 1
    sweeper._pruner = Pruner(every=0)
    sweeper.sweep_once()
    assert Delivery.objects.count() == 0
    assert metrics.snapshot()["pruned_deliveries"] == 1


def test_a_pruner_that_was_stopped_goes_on_at_the_next_sweep() -> None:
    hurried = Pruner(every=0, seconds=-1)
    assert hurried.prune_if_due() == Pruned(complete=False)
    hurried.every = hurried.seconds = 3600
    assert hurried.prune_if_due() == Pruned()
    assert hurried.prune_if_due() is None


# --- history slows nothing down ------------------------------------------------------------------------------------
def plans_of_a_flow() -> list[tuple[str, ...]]:
    """How the database goes about every statement of a save, its deliveries, a sweep and a health check."""
    with CaptureQueriesContext(connection) as captured:
        commit(saved())
        drain("test.evaluate")
        sweep()
        metrics.health()
    plans = []
    with connection.cursor() as cursor:
        for query in captured.captured_queries:
            if query["sql"].split()[0] in ("SELECT", "UPDATE", "WITH"):
                cursor.execute("EXPLAIN QUERY PLAN " + query["sql"])
                plans.append(tuple(row[3] for row in cursor.fetchall()))
    return plans


@pytest.mark.sqlite
def test_the_hot_path_is_planned_alike_on_an_empty_table_and_on_ten_thousand_finished_deliveries() -> None:
    subscribe(AnswerEvent, name="test.evaluate")(lambda event: publish(evaluated(event)))
    subscribe(ReportEvent, name="test.store", source="security")(lambda event: None)
    empty = plans_of_a_flow()
    events = Event.objects.bulk_create(
        Event(uuid=UUID(int=n), type="AnswerEvent", source="answers", key=str(n), organisation=ACME,
              payload={}, correlation_id=UUID(int=n))
        for n in range(5000)
    )  # fmt: skip
    Delivery.objects.bulk_create(
        Delivery(event=event, key=event.key, subscriber=name, status="done", finished_at=Now())
        for event in events
        for name in ("test.evaluate", "test.store")
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    try:
        full = plans_of_a_flow()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS sqlite_stat1")
            cursor.execute("DROP TABLE IF EXISTS sqlite_stat4")
    assert full == empty
    partial = ("delivery_due_idx", "delivery_line_idx", "delivery_lease_idx", "delivery_dead_idx")
    for step in (step for plan in full for step in plan if "eventbus_delivery" in step or step.startswith("SCAN d")):
        assert any(index in step for index in partial) or "INTEGER PRIMARY KEY" in step, step


@pytest.mark.sqlite
def test_pruning_reads_in_the_order_of_the_primary_key() -> None:
    trace()
    commit(saved())
    drain_all()
    age(366)
    with CaptureQueriesContext(connection) as captured:
        prune()
    with connection.cursor() as cursor:
        for query in captured.captured_queries:
            if query["sql"].startswith("SELECT"):
                cursor.execute("EXPLAIN QUERY PLAN " + query["sql"])
                steps = [row[3] for row in cursor.fetchall()]
                assert not any("TEMP B-TREE" in step or step.startswith("SCAN") for step in steps), steps
