"""Handlers that call out: called at least once without a transaction, and what comes of it is stored once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from django.db import OperationalError, connection

from contracts import AnswerEvent, ReportEvent
from eventbus import NeverRetry, Retry, callers, erase, metrics, publish, stuck, subscribe
from eventbus.callers import Callers
from eventbus.context import calling_out, causation_id
from eventbus.deliveries import drain, drain_all, sweep
from eventbus.handling import deliver
from eventbus.leases import claim, claim_expired
from eventbus.models import Delivery, Event
from eventbus.pausing import standings
from eventbus.subscriptions import registry
from eventbus.sweeper import Sweeper
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
A, B = UUID(int=0xA), UUID(int=0xB)
Finish = Callable[[], object]


def calls(handler: Callable[[AnswerEvent, str], Finish | None], retry: Retry | None = None, slots: int = 4) -> None:
    subscribe(AnswerEvent, name="test.call", outside=True, retry=retry, slots=slots)(handler)


def test_it_is_called_without_a_transaction_and_its_result_is_stored_in_the_one_that_ends_the_delivery() -> None:
    seen = list[object]()

    def call(event: AnswerEvent, key: str) -> Finish:
        seen.append((connection.in_atomic_block, calling_out.get(), causation_id.get() == event.id))

        def finish() -> None:
            seen.append((connection.in_atomic_block, calling_out.get(), causation_id.get() == event.id))
            effect("answered")
            publish(evaluated(event))

        return finish

    calls(call)
    subscribe(ReportEvent, name="test.store")(lambda event: effect(f"stored {event.report.revision}"))
    event = saved(revision=3)
    commit(event)

    assert drain("test.call") == 2

    assert seen == [(False, True, True), (True, False, True)]
    assert (effects(), statuses()) == (["answered", "stored 3"], ["done", "done"])
    assert Event.objects.get(type="ReportEvent").causation_id == event.id


def test_one_that_has_nothing_to_store_is_done() -> None:
    calls(lambda event, key: None)
    commit(saved())
    drain_all()
    assert statuses() == ["done"]


def test_each_try_gets_the_same_key_and_each_delivery_one_of_its_own() -> None:
    keys = list[str]()

    def call(event: AnswerEvent, key: str) -> None:
        keys.append(key)
        if keys.count(key) < 3:
            raise OSError

    calls(call)
    first, second = saved(A), saved(B)
    commit(first, second)
    for _ in range(3):
        drain_all()
        let_retries_be_due()

    numbers = dict(Delivery.objects.values_list("event__uuid", "pk"))
    assert sorted(keys) == sorted([f"{event.id}-{numbers[event.id]}" for event in (first, second)] * 3)
    assert statuses() == ["done", "done"]


def test_a_result_that_can_not_be_stored_is_rolled_back_whole_and_the_call_made_again() -> None:
    called = list[str]()

    def call(event: AnswerEvent, key: str) -> Finish:
        called.append(key)

        def finish() -> None:
            effect("stored")
            publish(evaluated(event))
            if len(called) == 1:
                raise OperationalError

        return finish

    calls(call)
    subscribe(ReportEvent, name="test.store")(lambda event: None)
    commit(saved())
    drain_all()
    assert (effects(), statuses(), Event.objects.count()) == ([], ["ready"], 1)

    let_retries_be_due()
    drain_all()
    assert (effects(), statuses(), Event.objects.count()) == (["stored"], ["done", "done"], 2)
    assert len(set(called)) == 1


def test_of_a_call_that_outlives_its_lease_nothing_is_stored(caplog: pytest.LogCaptureFixture) -> None:
    def call(event: AnswerEvent, key: str) -> Finish:
        let_leases_run_out()
        assert len(claim_expired(registry["test.call"])) == 1
        return lambda: effect("too late")

    calls(call)
    commit(saved())
    (lease,) = claim(registry["test.call"])

    deliver(lease)

    assert (effects(), statuses()) == ([], ["leased"])
    assert metrics.deliveries() == {("test.call", "fenced"): 1}
    assert "another worker has it" in caplog.text


def test_what_is_erased_while_it_is_called_leaves_nothing_and_what_was_erased_before_is_not_called() -> None:
    called = list[str]()

    def call(event: AnswerEvent, key: str) -> Finish:
        called.append(event.key)
        erase(event.key)
        return lambda: effect("of somebody who is gone")

    calls(call)
    commit(saved(A))
    drain_all()
    commit(saved(B))
    erase(str(B))
    drain_all()

    assert (called, effects(), statuses()) == ([str(A)], [], ["skipped", "skipped"])


def test_it_is_tried_again_and_told_of_its_death_like_any_other() -> None:
    def call(event: AnswerEvent, key: str) -> None:
        raise OSError

    subscribe(
        AnswerEvent,
        name="test.call",
        outside=True,
        retry=Retry(max_attempts=2),
        on_dead=lambda event: effect(f"dead {event.answer.revision}"),
    )(call)
    commit(saved(revision=4))
    drain_all()
    assert (effects(), statuses()) == ([], ["ready"])
    let_retries_be_due()
    drain_all()
    assert (effects(), statuses()) == (["dead 4"], ["dead"])


def test_what_never_helps_is_dead_at_once() -> None:
    def call(event: AnswerEvent, key: str) -> None:
        raise NeverRetry("nobody lives there")

    calls(call)
    commit(saved())
    drain_all()
    assert statuses() == ["dead"]


def test_the_calls_of_one_key_keep_their_order() -> None:
    order = list[tuple[str, int]]()

    def call(event: AnswerEvent, key: str) -> None:
        order.append((event.key, event.answer.revision))
        if order.count((event.key, 1)) == 1 and event.key == str(A):
            raise OSError

    calls(call)
    commit(saved(A, 1), saved(A, 2), saved(B, 1))
    drain_all()
    assert order == [(str(A), 1), (str(B), 1)]
    let_retries_be_due()
    drain_all()
    assert order[2:] == [(str(A), 1), (str(A), 2)]


def test_a_claim_takes_one_so_that_nothing_loses_its_lease_behind_a_call() -> None:
    calls(lambda event, key: None)
    commit(saved(A), saved(B))
    newest = Delivery.objects.latest("pk").pk
    assert len(claim(registry["test.call"], newest)) == 1
    assert sorted(statuses()) == ["leased", "ready"]


@pytest.mark.parametrize("wrong", [{"coalesce": True}, {"batch": True}])
def test_calls_are_neither_skipped_nor_made_together(wrong: dict[str, bool]) -> None:
    with pytest.raises(ValueError, match="no coalesce, no batch"):
        subscribe(AnswerEvent, name="test.call", outside=True, **wrong)(lambda event, key: None)  # type: ignore[call-overload]
    assert "test.call" not in registry


# --- slots of its own ----------------------------------------------------------------------------------------------
def test_a_worker_that_publishes_for_it_wakes_it_and_does_not_call_out_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    woken = list[str]()
    monkeypatch.setattr("eventbus.wakeups.enqueue", lambda wakeup: woken.append(wakeup.subscriber))
    subscribe(AnswerEvent, name="test.evaluate")(lambda event: publish(evaluated(event)))
    subscribe(ReportEvent, name="test.call", outside=True)(lambda event, key: None)
    commit(saved())
    woken.clear()

    assert drain("test.evaluate") == 1

    assert (statuses(), woken) == (["done", "ready"], ["test.call"])


def test_the_sweeper_rings_for_it_and_does_not_call_out_itself() -> None:
    rung = list[str]()
    calls(lambda event, key: effect("called"))
    subscribe(AnswerEvent, name="test.trace")(lambda event: effect("handled"))
    commit(saved(A))
    assert len(claim(registry["test.call"])) == 1
    let_leases_run_out()
    commit(saved(B))

    sweep(aside=rung.append)

    assert set(rung) == {"test.call"}
    assert effects() == ["handled", "handled"]
    assert drain_all() == 2


@pytest.fixture
def hang() -> Iterator[Hang]:
    hang = Hang()
    yield hang
    hang.released.set()
    callers.stop(10)


class Hang:
    """The world outside: it takes a call for the key A and says nothing until it is released. Others it answers."""

    def __init__(self) -> None:
        self.begun, self.answered, self.released = threading.Event(), threading.Event(), threading.Event()

    def call(self, event: AnswerEvent, key: str) -> Finish:
        if event.key == str(A):
            self.begun.set()
            assert self.released.wait(30)
        else:
            self.answered.set()
        return lambda: effect(event.key)


def test_a_call_that_is_not_answered_holds_up_neither_the_sweeper_nor_a_wake_up_nor_other_calls(hang: Hang) -> None:
    calls(hang.call, slots=2)
    subscribe(AnswerEvent, name="test.trace")(lambda event: effect("handled"))
    callers.start()
    commit(saved(A))
    Sweeper().sweep_once()
    assert hang.begun.wait(10)

    commit(saved(B))
    Sweeper().sweep_once()
    drain("test.trace")
    callers.ring("test.call")

    assert hang.answered.wait(10)
    assert effects().count("handled") == 2
    hang.released.set()
    callers.stop(10)
    assert sorted(statuses()) == ["done"] * 4
    assert {str(A), str(B)} < set(effects())


def test_a_slot_whose_call_does_not_end_is_given_to_another_thread(hang: Hang, monkeypatch: pytest.MonkeyPatch) -> None:
    calls(hang.call, slots=1)
    callers.start()
    commit(saved(A), saved(B))
    callers.ring("test.call")
    assert hang.begun.wait(10)

    monkeypatch.setattr(stuck, "is_stuck", lambda thread: not hang.answered.is_set())
    callers.ring("test.call")

    assert hang.answered.wait(10)
    assert metrics.snapshot()["caller_stuck"] == 1


def test_a_stop_waits_for_the_call_at_hand_and_begins_no_other(hang: Hang, monkeypatch: pytest.MonkeyPatch) -> None:
    calls(hang.call, slots=1)
    threads = Callers(registry["test.call"])
    commit(saved(A))
    threads.ring()
    assert hang.begun.wait(10)

    threads.begin_to_stop()
    hang.released.set()
    threads.wait(10)

    commit(saved(B))
    threads.ring()
    assert not threads.is_alive
    assert statuses() == ["done", "ready"]


def test_what_waits_for_the_outside_world_does_not_turn_the_health_check_red() -> None:
    def call(event: AnswerEvent, key: str) -> None:
        raise OSError

    calls(call)
    commit(saved())
    drain_all()

    (standing,) = standings()
    assert standing.oldest is not None
    assert standing.worrying_age is None
    assert metrics.health().oldest is None
