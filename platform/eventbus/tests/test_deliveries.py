"""Delivering: exactly one effect, in order, whatever fails."""

from __future__ import annotations

import threading
from datetime import timedelta
from unittest.mock import Mock
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from contracts import AnswerEvent, ReportEvent
from eventbus import NeverRetry, Retry, TryAgain, erase, metrics, publish, subscribe
from eventbus.deliveries import drain, drain_all, sweep
from eventbus.leases import claim
from eventbus.models import Delivery, Event, Status
from eventbus.pausing import pause
from eventbus.subscriptions import registry
from eventbus.tests.making import (
    SECRET,
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
A, B = UUID(int=0xA), UUID(int=0xB)


def trace(event: AnswerEvent) -> None:
    """A handler that leaves a trace of the revision."""
    effect(event.answer.revision)


def chain() -> None:
    """The product's shape: an evaluation is a follow-up, storing it is another delivery."""

    @subscribe(AnswerEvent, name="test.evaluate", coalesce=True)
    def evaluate(event: AnswerEvent) -> None:
        publish(evaluated(event))

    @subscribe(ReportEvent, name="test.store", source="security", coalesce=True)
    def store(event: ReportEvent) -> None:
        effect(event.report.revision)


def test_what_was_committed_and_never_enqueued_is_delivered_by_the_sweep() -> None:
    subscribe(AnswerEvent, name="test.trace")(trace)
    commit(saved())
    assert statuses() == ["ready"]
    assert sweep() == 1
    assert (effects(), statuses()) == (["1"], ["done"])


def test_a_wake_up_that_comes_twice_has_one_effect() -> None:
    subscribe(AnswerEvent, name="test.trace")(trace)
    commit(saved())
    hint = Delivery.objects.get().pk
    assert (drain("test.trace", hint), drain("test.trace", hint)) == (1, 0)
    assert effects() == ["1"]


def test_one_wake_up_drains_all_that_is_due() -> None:
    subscribe(AnswerEvent, name="test.trace")(trace)
    commit(*(saved(revision=number) for number in range(1, 121)))
    assert drain("test.trace", Delivery.objects.earliest("pk").pk) == 120
    assert set(statuses()) == {"done"}
    assert len(effects()) == 120


def test_the_hinted_delivery_is_claimed_besides_fifty_older_ones() -> None:
    subscribe(AnswerEvent, name="test.trace")(trace)
    commit(*(saved(revision=number) for number in range(1, 71)))
    ids = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
    claimed = [lease.delivery.id for lease in claim(registry["test.trace"], ids[-1])]
    assert claimed == [*ids[:50], ids[-1]]


def test_what_raises_is_tried_again_and_dead_after_its_last_attempt() -> None:
    @subscribe(AnswerEvent, name="test.fail", retry=Retry(max_attempts=3))
    def fail(event: AnswerEvent) -> None:
        effect("half done")
        raise OperationalError(SECRET)

    commit(saved())
    for expected in ("ready", "ready", "dead"):
        assert drain("test.fail") == 1
        assert statuses() == [expected]
        let_retries_be_due()
    delivery = Delivery.objects.get()
    assert (delivery.attempts, effects()) == (3, [])
    assert delivery.last_error.startswith("django.db.utils.OperationalError at test_deliveries.py:")
    assert SECRET not in delivery.last_error
    assert drain("test.fail") == 0


def test_a_retry_waits_for_its_time() -> None:
    @subscribe(AnswerEvent, name="test.fail", retry=Retry(base=1000, cap=1000))
    def fail(event: AnswerEvent) -> None:
        raise OperationalError

    commit(saved())
    drain_all()
    Delivery.objects.update(due_at=Now() + timedelta(seconds=5))
    assert drain_all() == 0
    assert Delivery.objects.get().attempts == 1


def test_waits_double_up_to_the_cap_and_have_full_jitter() -> None:
    retry = Retry(base=2, cap=10)
    assert [retry.longest_wait(attempt) for attempt in (1, 2, 3, 4, 5000)] == [2, 4, 8, 10, 10]
    waits = {retry.wait(3) for _ in range(50)}
    assert len(waits) > 10
    assert timedelta(0) <= min(waits) <= max(waits) <= timedelta(seconds=8)


def test_what_is_too_old_is_not_tried_again() -> None:
    @subscribe(AnswerEvent, name="test.fail", retry=Retry(max_age=timedelta(hours=1)))
    def fail(event: AnswerEvent) -> None:
        raise OperationalError

    commit(saved())
    Delivery.objects.update(created_at=Now() - timedelta(hours=2))
    drain_all()
    assert statuses() == ["dead"]


@pytest.mark.parametrize(
    "error",
    [TypeError, AttributeError, NameError, ImportError, AssertionError, KeyError, NotImplementedError, NeverRetry],
)
def test_errors_of_programming_are_dead_at_once(error: type[Exception]) -> None:
    @subscribe(AnswerEvent, name="test.fail")
    def fail(event: AnswerEvent) -> None:
        raise error("why")

    commit(saved())
    drain_all()
    assert statuses() == ["dead"]


def test_a_document_that_breaks_its_contract_is_dead_and_says_where() -> None:
    subscribe(AnswerEvent, name="test.trace")(trace)
    commit(saved())
    event = Event.objects.get()
    event.payload["data"]["answer"]["revision"] = 0
    event.save()
    drain_all()
    assert statuses() == ["dead"]
    assert "answer.revision: Input should be greater than or equal to 1" in Delivery.objects.get().last_error


def test_try_again_keeps_its_explanation() -> None:
    @subscribe(AnswerEvent, name="test.fail")
    def fail(event: AnswerEvent) -> None:
        raise TryAgain("load it first")

    commit(saved())
    drain("test.fail")
    delivery = Delivery.objects.get()
    assert delivery.status == "ready"
    assert delivery.last_error.startswith("TryAgain: load it first at test_deliveries.py:")


def test_effects_are_rolled_back_where_the_lease_ran_out() -> None:
    @subscribe(AnswerEvent, name="test.slow")
    def slow(event: AnswerEvent) -> None:
        effect("late")
        Delivery.objects.update(lease_token=uuid4(), attempts=F("attempts") + 1)

    commit(saved())
    drain("test.slow")
    assert effects() == []
    assert metrics.snapshot()["fenced"] == 1


def test_a_lease_that_ran_out_is_claimed_alone_and_delivered() -> None:
    subscribe(AnswerEvent, name="test.trace")(trace)
    commit(saved(A, 1), saved(B, 2))
    dead_worker = claim(registry["test.trace"])
    assert len(dead_worker) == 2
    assert sweep() == 0
    let_leases_run_out()
    assert sweep() == 2
    assert sorted(effects()) == ["1", "2"]
    assert list(Delivery.objects.values_list("attempts", flat=True)) == [2, 2]


def test_a_lease_that_runs_out_at_the_last_attempt_is_dead() -> None:
    subscribe(AnswerEvent, name="test.trace", retry=Retry(max_attempts=1))(trace)
    commit(saved())
    claim(registry["test.trace"])
    let_leases_run_out()
    assert sweep() == 0
    assert (effects(), statuses()) == ([], ["dead"])
    assert "its worker died or took longer" in Delivery.objects.get().last_error


def test_drafts_that_wait_give_way_to_the_newest() -> None:
    subscribe(AnswerEvent, name="test.trace", coalesce=True)(trace)
    commit(*(saved(A, number) for number in range(1, 6)), saved(B, 9))
    drain_all()
    assert sorted(effects()) == ["5", "9"]
    assert statuses() == ["skipped"] * 4 + ["done"] * 2


def test_what_was_submitted_is_never_skipped() -> None:
    subscribe(AnswerEvent, name="test.trace", coalesce=True)(trace)
    commit(saved(A, 1), saved(A, 2, "submitted"), saved(A, 3), saved(A, 4))
    drain_all()
    assert effects() == ["2", "4"]
    assert statuses() == ["skipped", "done", "skipped", "done"]


def test_a_subscriber_that_does_not_coalesce_gets_every_draft_in_order() -> None:
    subscribe(AnswerEvent, name="test.trace")(trace)
    commit(*(saved(A, number) for number in range(1, 6)))
    drain_all()
    assert effects() == ["1", "2", "3", "4", "5"]


def test_a_retry_holds_up_its_own_key_and_no_other() -> None:
    broken = True

    @subscribe(AnswerEvent, name="test.trace")
    def sometimes(event: AnswerEvent) -> None:
        if broken and event.answer.revision == 1:
            raise OperationalError
        effect(event.answer.revision)

    commit(saved(A, 1), saved(A, 2), saved(B, 3))
    Delivery.objects.filter(key=str(A)).update(created_at=Now())
    drain("test.trace")
    Delivery.objects.filter(status="ready").update(due_at=Now() + timedelta(hours=1))
    Delivery.objects.filter(event__payload__data__answer__revision=2).update(due_at=Now() - timedelta(hours=1))
    assert drain_all() == 0
    assert effects() == ["3"]
    broken = False
    let_retries_be_due()
    drain_all()
    assert effects() == ["3", "1", "2"]


def test_a_dead_one_does_not_hold_up_its_key() -> None:
    @subscribe(AnswerEvent, name="test.trace")
    def sometimes(event: AnswerEvent) -> None:
        if event.answer.revision == 1:
            raise NeverRetry("broken for good")
        effect(event.answer.revision)

    commit(saved(A, 1), saved(A, 2))
    drain_all()
    assert (effects(), statuses()) == (["2"], ["dead", "done"])


def test_a_leased_one_holds_up_its_key() -> None:
    subscribe(AnswerEvent, name="test.trace")(trace)
    commit(saved(A, 1))
    claim(registry["test.trace"])
    commit(saved(A, 2))
    assert drain("test.trace", Delivery.objects.latest("pk").pk) == 0


def test_threads_that_drain_at_once_give_one_effect_each_in_the_order_of_their_key() -> None:
    @subscribe(AnswerEvent, name="test.trace")
    def trace_key(event: AnswerEvent) -> None:
        effect(f"{event.key} {event.answer.revision}")

    commit(*(saved(key, number) for number in range(1, 21) for key in (A, B)))
    start = threading.Barrier(3)

    def work() -> None:
        start.wait()
        drain("test.trace")
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses()) == {"done"}
    for key in (A, B):
        assert [label for label in effects() if label.startswith(str(key))] == [f"{key} {n}" for n in range(1, 21)]


def test_the_worker_that_published_a_follow_up_delivers_it_too() -> None:
    chain()
    commit(saved(A, 1))
    assert drain("test.evaluate", Delivery.objects.get().pk) == 2
    assert (effects(), statuses()) == (["1"], ["done", "done"])


def test_a_follow_up_is_the_publishing_workers_own_from_the_beginning() -> None:
    seen: list[tuple[str, int]] = []
    chain()
    subscribe(ReportEvent, name="test.watch", source="security")(lambda event: None)

    @subscribe(AnswerEvent, name="test.publish")
    def publish_and_look(event: AnswerEvent) -> None:
        publish(evaluated(event))
        seen.extend(Delivery.objects.filter(event__type="ReportEvent").values_list("status", "attempts"))

    commit(saved(A, 1))
    drain("test.publish")
    assert seen == [("leased", 1), ("leased", 1)]


def test_a_follow_up_whose_worker_dies_is_delivered_once_its_lease_ran_out(monkeypatch: pytest.MonkeyPatch) -> None:
    chain()
    commit(saved(A, 1))
    monkeypatch.setattr("eventbus.deliveries._next_steps", Mock(side_effect=SystemExit))
    with pytest.raises(SystemExit):
        drain("test.evaluate")
    monkeypatch.undo()
    assert (statuses(), sweep()) == (["done", "leased"], 0)

    let_leases_run_out()
    assert sweep() == 1
    assert (effects(), statuses()) == (["1"], ["done", "done"])
    assert Delivery.objects.get(subscriber="test.store").attempts == 2


def test_a_follow_up_waits_behind_an_older_one_of_its_line() -> None:
    chain()
    commit(saved(A, 1))
    with override_settings(EVENTBUS_INLINE_FOLLOWUPS=False):
        drain("test.evaluate")
    (older,) = claim(registry["test.store"])
    commit(saved(A, 2))
    assert drain("test.evaluate") == 1
    assert statuses() == ["done", "leased", "done", "ready"]

    older.row.finish(Status.DONE)
    assert drain("test.store") == 1
    assert effects() == ["2"]


def test_a_follow_up_of_a_paused_subscriber_waits() -> None:
    chain()
    pause("test.store", by="Ada")
    commit(saved(A, 1))
    assert drain("test.evaluate") == 1
    assert (statuses(), Delivery.objects.get(subscriber="test.store").attempts) == (["done", "ready"], 0)


def test_follow_ups_can_be_left_to_the_broker() -> None:
    chain()
    commit(saved(A, 1))
    with override_settings(EVENTBUS_INLINE_FOLLOWUPS=False):
        assert drain("test.evaluate") == 1
    assert statuses() == ["done", "ready"]


def test_a_follow_up_that_fails_leaves_the_first_delivery_done() -> None:
    @subscribe(AnswerEvent, name="test.evaluate")
    def evaluate(event: AnswerEvent) -> None:
        publish(evaluated(event))

    @subscribe(ReportEvent, name="test.store")
    def store(event: ReportEvent) -> None:
        raise OperationalError

    commit(saved())
    drain("test.evaluate")
    assert statuses()[0] == "done"
    assert Delivery.objects.get(subscriber="test.store").last_error.startswith("django.db.utils.OperationalError")


def test_a_handler_that_fails_after_publishing_publishes_nothing() -> None:
    @subscribe(AnswerEvent, name="test.evaluate")
    def evaluate(event: AnswerEvent) -> None:
        publish(evaluated(event))
        raise NeverRetry("no")

    commit(saved())
    drain("test.evaluate")
    assert Event.objects.count() == 1


def test_a_long_chain_of_follow_ups_needs_no_deep_stack() -> None:
    @subscribe(AnswerEvent, name="test.count", timeout=600)
    def count_up(event: AnswerEvent) -> None:
        if event.answer.revision < 300:
            publish(saved(A, event.answer.revision + 1))

    commit(saved(A, 1))
    assert drain("test.count") == 300


def test_a_drain_that_takes_too_long_gives_back_what_it_has_not_begun() -> None:
    subscribe(AnswerEvent, name="test.trace", timeout=0)(trace)
    commit(saved(A, 1), saved(B, 2))
    assert drain("test.trace") == 1
    assert statuses() == ["done", "ready"]
    assert Delivery.objects.get(status="ready").attempts == 0


def test_on_commit_hooks_of_a_handler_run_after_its_effects() -> None:
    seen = []

    @subscribe(AnswerEvent, name="test.push")
    def push(event: AnswerEvent) -> None:
        effect("stored")
        transaction.on_commit(lambda: seen.append((effects(), statuses())))

    commit(saved())
    drain("test.push")
    assert seen == [(["stored"], ["done"])]


def test_an_error_after_the_commit_does_not_undo_or_repeat_the_delivery(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise OperationalError(SECRET)

    @subscribe(AnswerEvent, name="test.push")
    def push(event: AnswerEvent) -> None:
        effect("stored")
        transaction.on_commit(fail)

    commit(saved())
    drain("test.push")
    assert (effects(), statuses()) == (["stored"], ["done"])
    assert "changes nothing" in caplog.text
    assert SECRET not in caplog.text


def test_erasing_a_key_empties_its_events_and_skips_what_waits() -> None:
    subscribe(AnswerEvent, name="test.trace")(trace)
    commit(saved(A, 1), saved(B, 2))
    erase(str(A))
    drain_all()
    assert effects() == ["2"]
    assert list(Event.objects.filter(erased_at__isnull=False).values_list("key", "payload")) == [(str(A), {})]
    assert Event.objects.get(key=str(B)).payload != {}
    assert statuses() == ["skipped", "done"]


def test_erasing_takes_the_lease_of_a_handler_at_work() -> None:
    @subscribe(AnswerEvent, name="test.evaluate")
    def evaluate(event: AnswerEvent) -> None:
        publish(evaluated(event))
        erase(event.key)

    commit(saved(A, 1))
    drain("test.evaluate")
    assert Event.objects.count() == 1
    assert metrics.snapshot()["fenced"] == 1


def test_what_is_erased_after_its_claim_is_no_handler_that_took_too_long(caplog: pytest.LogCaptureFixture) -> None:
    @subscribe(AnswerEvent, name="test.trace")
    def handler(event: AnswerEvent) -> None:
        effect(event.key)
        erase(str(B))

    commit(saved(A, 1), saved(B, 2))
    with caplog.at_level("INFO", "eventbus.handling"):
        drain("test.trace")  # claims both at once
    assert (effects(), statuses()) == ([str(A)], ["done", "skipped"])
    (record,) = caplog.records
    assert record.levelname == "INFO"
    assert record.getMessage().endswith("was erased while it was handled: its effects were rolled back")


def test_a_whole_flow_costs_15_statements_in_4_transactions() -> None:
    chain()
    with CaptureQueriesContext(connection) as captured:
        commit(saved(A, 1))
        drain("test.evaluate", 1)
    verbs = [query["sql"].split()[0] for query in captured.captured_queries]
    publish_, finish = ["INSERT", "INSERT"], ["UPDATE", "COMMIT"]
    assert verbs == [
        *("BEGIN", *publish_, "COMMIT"),
        "WITH",
        *("BEGIN", *publish_, *finish),
        *("BEGIN", "INSERT", *finish),
        "SELECT",
    ]


@pytest.mark.sqlite
def test_the_hot_statements_read_partial_indexes_only() -> None:
    chain()
    with CaptureQueriesContext(connection) as captured:
        commit(saved(A, 1))
        drain("test.evaluate")
        sweep()
        metrics.health()
    with connection.cursor() as cursor:
        for query in captured.captured_queries:
            if query["sql"].split()[0] not in ("SELECT", "UPDATE", "WITH"):
                continue
            cursor.execute("EXPLAIN QUERY PLAN " + query["sql"])
            scans = [row[3] for row in cursor.fetchall() if row[3].startswith("SCAN") and " INDEX " not in row[3]]
            # What is asked for and what was chosen are no tables; the health check lists what was paused, a row each.
            allowed = {"SCAN named", "SCAN chosen", "SCAN CONSTANT ROW", "SCAN eventbus_subscriptionstate"}
            assert set(scans) <= allowed, query["sql"]
