"""Deliveries that share a transaction: the same promises, at a fraction of the commits."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from contracts import AnswerEvent, ReportEvent
from eventbus import context, erase, handling, metrics, publish, scope, subscribe
from eventbus.deliveries import drain, drain_all
from eventbus.leases import claim
from eventbus.models import Delivery, Event
from eventbus.subscriptions import registry
from eventbus.tests.making import (
    commit,
    effect,
    effects,
    evaluated,
    let_leases_run_out,
    let_retries_be_due,
    saved,
    statuses,
)

pytestmark = pytest.mark.django_db(transaction=True)
A = UUID(int=0xA)


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is, it is not the clock that ends a batch."""
    monkeypatch.setattr(handling, "BATCH_SECONDS", 600.0)


def trace(event: AnswerEvent) -> None:
    """A handler that leaves a trace of the revision."""
    effect(event.answer.revision)


def commits(captured: CaptureQueriesContext) -> int:
    """How many transactions were committed that had said that they begin."""
    return [query["sql"] for query in captured.captured_queries].count("COMMIT")


def test_what_was_claimed_together_commits_together() -> None:
    subscribe(AnswerEvent, name="test.trace", batch=True)(trace)
    commit(*(saved(revision=number) for number in range(1, 121)))
    with CaptureQueriesContext(connection) as captured:
        assert drain("test.trace", Delivery.objects.earliest("pk").pk) == 120
    assert commits(captured) == 3
    assert (set(statuses()), sorted(map(int, effects()))) == ({"done"}, list(range(1, 121)))
    assert metrics.deliveries()["test.trace", "done"] == 120


def test_without_being_asked_for_each_delivery_has_a_transaction_of_its_own() -> None:
    subscribe(AnswerEvent, name="test.trace")(trace)
    commit(*(saved(revision=number) for number in range(1, 4)))
    with CaptureQueriesContext(connection) as captured:
        drain("test.trace")
    assert commits(captured) == 3


def test_one_that_fails_leaves_no_trace_and_costs_no_other_its_effect() -> None:
    @subscribe(AnswerEvent, name="test.fragile", batch=True)
    def fragile(event: AnswerEvent) -> None:
        trace(event)
        if event.answer.revision == 3:
            raise OperationalError

    commit(*(saved(revision=number) for number in range(1, 6)))
    assert drain("test.fragile") == 5
    assert (sorted(effects()), statuses()) == (["1", "2", "4", "5"], ["done", "done", "ready", "done", "done"])
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


def test_a_broken_transaction_of_one_leaves_no_trace_and_costs_no_other_its_effect() -> None:
    @subscribe(AnswerEvent, name="test.fragile", batch=True)
    def fragile(event: AnswerEvent) -> None:
        trace(event)
        if event.answer.revision == 2:
            transaction.set_rollback(True)  # as after a database error that the handler has swallowed

    commit(*(saved(revision=number) for number in range(1, 4)))
    drain("test.fragile")
    assert (sorted(effects()), statuses()) == (["1", "3"], ["done", "ready", "done"])


def test_what_is_hopeless_dies_alone() -> None:
    @subscribe(AnswerEvent, name="test.fragile", batch=True)
    def fragile(event: AnswerEvent) -> None:
        trace(event)
        assert event.answer.revision != 2

    commit(*(saved(revision=number) for number in range(1, 4)))
    drain("test.fragile")
    assert (sorted(effects()), statuses()) == (["1", "3"], ["done", "dead", "done"])


def test_a_lease_lost_on_the_way_costs_no_other_its_effect() -> None:
    @subscribe(AnswerEvent, name="test.slow", batch=True)
    def slow(event: AnswerEvent) -> None:
        trace(event)
        if event.answer.revision == 1:
            # As another worker would, whose claim came after the lease had run out; it rolls back with the batch.
            Delivery.objects.filter(event=Event.objects.get(uuid=event.id)).update(lease_token=uuid4())

    commit(saved(revision=1), saved(revision=2))
    drain("test.slow")
    assert effects() == ["2"]
    assert metrics.snapshot()["fenced"] == 1


def test_what_is_erased_while_a_batch_is_at_work_leaves_no_trace() -> None:
    @subscribe(AnswerEvent, name="test.trace", batch=True)
    def handle(event: AnswerEvent) -> None:
        trace(event)
        if event.key == str(A):
            erase(event.key)

    commit(saved(A, 1), saved(revision=2))
    drain("test.trace")
    assert effects() == ["2"]


def test_follow_ups_know_their_own_cause_and_are_delivered_once_each() -> None:
    causes: list[tuple[UUID | None, UUID | None]] = []

    @subscribe(AnswerEvent, name="test.evaluate", batch=True)
    def evaluate(event: AnswerEvent) -> None:
        publish(evaluated(event))

    @subscribe(ReportEvent, name="test.store", source="security", batch=True)
    def store(event: ReportEvent) -> None:
        causes.append((event.causation_id, event.correlation_id))
        effect(event.report.revision)

    events = [saved(revision=number) for number in range(1, 61)]
    commit(*events)
    with CaptureQueriesContext(connection) as captured:
        drain("test.evaluate")
    assert sum("SET status = 'leased'" in query["sql"] for query in captured.captured_queries) == 2
    assert sum(query["sql"] == "COMMIT" for query in captured.captured_queries) == 4
    stored = {event.uuid: event.correlation_id for event in Event.objects.filter(type="AnswerEvent")}
    assert sorted(causes, key=str) == sorted(((event.id, stored[event.id]) for event in events), key=str)
    assert (set(statuses()), len(effects())) == ({"done"}, 60)


def test_a_hook_runs_after_the_commit_in_the_context_of_its_own_event() -> None:
    seen: list[tuple[UUID | None, bool]] = []

    @subscribe(AnswerEvent, name="test.hook", batch=True)
    def hook(event: AnswerEvent) -> None:
        with suppress(OperationalError), transaction.atomic():
            transaction.on_commit(lambda: seen.append((None, False)))
            raise OperationalError  # which forgets the hook
        transaction.on_commit(lambda: seen.append((context.causation_id.get(), connection.in_atomic_block)))

    events = [saved(revision=number) for number in range(1, 4)]
    commit(*events)
    drain("test.hook")
    assert seen == [(event.id, False) for event in events]


def test_a_hook_that_fails_costs_no_other_its_hook(caplog: pytest.LogCaptureFixture) -> None:
    ran: list[int] = []

    @subscribe(AnswerEvent, name="test.hook", batch=True)
    def hook(event: AnswerEvent) -> None:
        trace(event)
        transaction.on_commit(lambda: ran.append(10 // (event.answer.revision - 2)))

    commit(*(saved(revision=number) for number in range(1, 4)))
    drain("test.hook")
    assert (ran, effects(), set(statuses())) == ([-10, 10], ["1", "2", "3"], {"done"})
    assert [record.message.split(": ", 1)[1] for record in caplog.records] == [
        "an error after its lease had ended changes nothing: ZeroDivisionError at test_batches.py:"
        + caplog.records[0].message.rsplit(":", 1)[1]
    ]


def test_events_of_one_key_keep_their_order() -> None:
    subscribe(AnswerEvent, name="test.trace", batch=True)(trace)
    commit(*(saved(A, number) for number in range(1, 6)))
    drain("test.trace")
    assert effects() == ["1", "2", "3", "4", "5"]


def test_what_is_superseded_is_skipped_as_ever() -> None:
    subscribe(AnswerEvent, name="test.trace", batch=True, coalesce=True)(trace)
    commit(saved(A, 1), saved(A, 2), saved(revision=3))
    drain("test.trace")
    assert (sorted(effects()), statuses()) == (["2", "3"], ["skipped", "done", "done"])


def test_what_was_erased_is_skipped_as_ever_while_the_others_share_a_transaction() -> None:
    subscribe(AnswerEvent, name="test.trace", batch=True)(trace)
    commit(saved(revision=1), saved(revision=2), saved(A, 3))
    Event.objects.filter(key=str(A)).update(payload={})
    with CaptureQueriesContext(connection) as captured:
        drain("test.trace")
    assert (sorted(effects()), statuses(), commits(captured)) == (["1", "2"], ["done", "done", "skipped"], 1)


def test_what_was_claimed_apart_shares_no_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handling, "BATCH_SECONDS", 0.0)  # leaves the second evaluation below the first one's report

    @subscribe(AnswerEvent, name="test.evaluate", batch=True)
    def evaluate(event: AnswerEvent) -> None:
        publish(evaluated(event))
        monkeypatch.setattr(handling, "BATCH_SECONDS", 600.0)

    @subscribe(ReportEvent, name="test.store", source="security", batch=True)
    def store(event: ReportEvent) -> None:
        effect(event.report.revision)

    commit(saved(revision=1), saved(revision=2))
    with CaptureQueriesContext(connection) as captured:
        drain("test.evaluate")
    assert [query["sql"] for query in captured.captured_queries].count("ROLLBACK") == 0
    assert (effects(), commits(captured)) == (["1", "2"], 4)


def test_a_batch_takes_no_more_time_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handling, "BATCH_SECONDS", 0.0)
    subscribe(AnswerEvent, name="test.trace", batch=True)(trace)
    commit(*(saved(revision=number) for number in range(1, 4)))
    with CaptureQueriesContext(connection) as captured:
        assert drain("test.trace") == 3
    assert commits(captured) == 3
    assert (sorted(effects()), set(statuses())) == (["1", "2", "3"], {"done"})


def test_who_is_asked_to_end_commits_what_is_done_and_gives_the_rest_back() -> None:
    @subscribe(AnswerEvent, name="test.trace", batch=True)
    def handle(event: AnswerEvent) -> None:
        trace(event)
        if event.answer.revision == 2:
            scope.stopping.set()

    commit(*(saved(revision=number) for number in range(1, 5)))
    try:
        assert drain("test.trace") == 2
    finally:
        scope.stopping.clear()
    assert (effects(), statuses()) == (["1", "2"], ["done", "done", "ready", "ready"])
    assert list(Delivery.objects.order_by("pk").values_list("attempts", flat=True)) == [1, 1, 0, 0]


def test_what_a_dead_worker_held_is_delivered_one_by_one() -> None:
    subscribe(AnswerEvent, name="test.trace", batch=True)(trace)
    commit(*(saved(revision=number) for number in range(1, 4)))
    claim(registry["test.trace"])
    let_leases_run_out()
    with CaptureQueriesContext(connection) as captured:
        assert drain_all() == 3
    assert commits(captured) == 3
    assert sorted(effects()) == ["1", "2", "3"]


def test_one_that_failed_is_tried_again_and_then_shares_a_transaction_again() -> None:
    failing = {2}

    @subscribe(AnswerEvent, name="test.fragile", batch=True)
    def fragile(event: AnswerEvent) -> None:
        trace(event)
        if event.answer.revision in failing:
            raise OperationalError

    commit(*(saved(revision=number) for number in range(1, 4)))
    drain("test.fragile")
    failing.clear()
    let_retries_be_due()
    commit(saved(revision=4))
    with CaptureQueriesContext(connection) as captured:
        drain("test.fragile")
    assert (sorted(effects()), commits(captured)) == (["1", "2", "3", "4"], 1)


def test_what_newer_events_make_pointless_is_skipped_in_the_same_transaction() -> None:
    subscribe(AnswerEvent, name="test.trace", batch=True, coalesce=True)(trace)
    for number in range(1, 9):
        key = UUID(int=number)
        commit(saved(key, 1), *([saved(key, 2)] if number % 2 else []))
    with CaptureQueriesContext(connection) as captured:
        assert drain("test.trace") == 12
    # One for what the first claim took, one for what could be claimed only then.
    assert commits(captured) == 2
    assert Counter(statuses()) == {"skipped": 4, "done": 8}
    assert (metrics.deliveries()["test.trace", "skipped"], metrics.deliveries()["test.trace", "done"]) == (4, 8)


def test_what_was_skipped_in_a_batch_that_fails_is_skipped_all_the_same_and_counted_once() -> None:
    @subscribe(AnswerEvent, name="test.fragile", batch=True, coalesce=True)
    def fragile(event: AnswerEvent) -> None:
        trace(event)
        if event.key == str(UUID(int=2)):
            raise OperationalError

    commit(saved(A, 1), saved(A, 2), saved(UUID(int=2), 1))
    drain("test.fragile")
    assert (effects(), statuses()) == (["2"], ["skipped", "done", "ready"])
    assert metrics.deliveries()["test.fragile", "skipped"] == 1


def test_deliveries_to_two_subscribers_share_no_transaction() -> None:
    @subscribe(AnswerEvent, name="test.evaluate")
    def evaluate(event: AnswerEvent) -> None:
        publish(evaluated(event))

    def store(event: ReportEvent) -> None:
        effect(event.report.revision)

    for name in ("test.store", "test.tell"):
        subscribe(ReportEvent, name=name, batch=True)(store)
    commit(saved())
    with CaptureQueriesContext(connection) as captured:
        drain_all()
    assert commits(captured) == 3
    assert (metrics.deliveries()["test.store", "done"], metrics.deliveries()["test.tell", "done"]) == (1, 1)


def test_what_nothing_can_supersede_has_its_turn_before_what_may_be_superseded() -> None:
    subscribe(AnswerEvent, name="test.trace", batch=True, coalesce=True)(trace)
    commit(saved(revision=1), saved(revision=2), saved(revision=3, state="submitted"), saved(revision=4))
    drain("test.trace")
    assert effects() == ["3", "1", "2", "4"]


def test_what_is_superseded_after_it_was_claimed_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second batch of a claim knows what came while the first one ran."""
    monkeypatch.setattr(handling, "BATCH_SECONDS", 0.0)
    draft = uuid4()

    @subscribe(AnswerEvent, name="test.trace", batch=True, coalesce=True)
    def trace_and_save(event: AnswerEvent) -> None:
        trace(event)
        if event.answer.revision == 1:
            publish(saved(draft, revision=3))

    commit(saved(revision=1), saved(draft, revision=2))
    drain("test.trace")
    assert (effects(), sorted(statuses())) == (["1", "3"], ["done", "done", "skipped"])
