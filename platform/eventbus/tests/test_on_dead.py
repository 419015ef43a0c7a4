"""A subscriber is told that a delivery died: once with the mark, by whichever way it dies, whatever crashes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from contracts import AnswerEvent, ReportEvent
from eventbus import NeverRetry, Retry, erase, metrics, publish, subscribe
from eventbus.dead_letters import redrive
from eventbus.deliveries import drain, drain_all, sweep
from eventbus.handling import deliver
from eventbus.leases import claim, claim_expired
from eventbus.models import Delivery, Event
from eventbus.pausing import pause
from eventbus.replays import Selection
from eventbus.subscriptions import registry
from eventbus.tests.making import (
    SECRET,
    commit,
    effect,
    effects,
    evaluated,
    let_leases_run_out,
    let_retries_be_due,
    replay,
    saved,
    statuses,
)

pytestmark = pytest.mark.django_db(transaction=True)
A, B = UUID(int=0xA), UUID(int=0xB)


def mourn(event: AnswerEvent) -> None:
    """Leaves a trace that the event's delivery died."""
    effect(f"dead {event.answer.revision}")


def refuse(event: AnswerEvent) -> None:
    raise NeverRetry("no")


def fail(event: AnswerEvent) -> None:
    raise OperationalError


def misread(event: AnswerEvent) -> None:
    raise LookupError(SECRET)


def subscribed(
    handler: Callable[[AnswerEvent], None],
    on_dead: Callable[[AnswerEvent], None] = mourn,
    retry: Retry | None = None,
    *,
    batch: bool = False,
) -> None:
    subscribe(AnswerEvent, name="test.trace", on_dead=on_dead, retry=retry, batch=batch)(handler)


def kill_workers(times: int) -> None:
    """As if each of so many workers had claimed the delivery and died over it."""
    Delivery.objects.update(due_at=Now() - timedelta(seconds=1))
    assert len(claim(registry["test.trace"])) == 1
    Delivery.objects.update(attempts=times)
    let_leases_run_out()


@pytest.mark.parametrize("handler", [refuse, misread])
def test_it_is_told_of_what_is_dead_at_once(handler: Callable[[AnswerEvent], None]) -> None:
    subscribed(handler)
    commit(saved(revision=7))
    drain_all()
    assert (statuses(), effects()) == (["dead"], ["dead 7"])
    assert metrics.snapshot()["dead"] == 1


def test_it_is_told_after_the_last_attempt_and_not_before() -> None:
    subscribed(fail, retry=Retry(max_attempts=2))
    commit(saved())
    drain_all()
    assert (statuses(), effects()) == (["ready"], [])
    let_retries_be_due()
    drain_all()
    assert (statuses(), effects()) == (["dead"], ["dead 1"])


def test_it_is_told_of_what_is_too_old() -> None:
    subscribed(fail, retry=Retry(max_age=timedelta(hours=1)))
    commit(saved())
    Delivery.objects.update(created_at=Now() - timedelta(hours=2))
    drain_all()
    assert (statuses(), effects()) == (["dead"], ["dead 1"])


def test_it_is_told_of_what_the_sweeper_buries() -> None:
    subscribed(lambda event: effect("handled"), retry=Retry(max_attempts=3))
    commit(saved(A, 4), saved(B, 5))
    Delivery.objects.filter(key=str(B)).update(due_at=Now() + timedelta(hours=1))
    Delivery.objects.filter(key=str(A)).update(due_at=Now() - timedelta(seconds=1))
    assert len(claim(registry["test.trace"])) == 1
    Delivery.objects.filter(key=str(A)).update(attempts=3)
    let_leases_run_out()

    sweep()

    dead = Delivery.objects.get(key=str(A))
    assert (dead.status, dead.attempts, effects()) == ("dead", 3, ["dead 4"])
    assert dead.last_error == "no attempt of 3 finished: its worker died or took longer than the lease"
    assert metrics.deliveries() == {("test.trace", "dead"): 1}


def test_those_of_a_batch_are_told_of_one_by_one() -> None:
    def refuse_odd(event: AnswerEvent) -> None:
        if event.answer.revision % 2:
            raise NeverRetry("odd")
        effect(event.answer.revision)

    subscribed(refuse_odd, batch=True)
    commit(saved(revision=1), saved(revision=2), saved(revision=3))
    drain_all()
    assert (statuses(), effects()) == (["dead", "done", "dead"], ["dead 1", "2", "dead 3"])


def test_it_is_told_of_a_replayed_one_that_dies_and_of_a_redriven_one_once_more() -> None:
    def refuse_a_replay(event: AnswerEvent) -> None:
        if Delivery.objects.filter(generation__gt=0).exists():
            raise NeverRetry("once was enough")

    subscribed(refuse_a_replay)
    commit(saved())
    drain_all()
    replay(Selection(subscriber="test.trace"), rate=50, by="Ada")
    drain_all()
    assert (statuses(), effects()) == (["done", "dead"], ["dead 1"])

    redrive(Delivery.objects.all(), by="Ada")
    drain_all()
    assert (statuses(), effects()) == (["done", "dead"], ["dead 1", "dead 1"])


def test_what_it_publishes_is_delivered_like_any_follow_up_and_names_its_cause() -> None:
    def say(event: AnswerEvent) -> None:
        publish(evaluated(event))

    subscribed(refuse, on_dead=say)
    subscribe(ReportEvent, name="test.store")(lambda event: effect(f"stored {event.report.revision}"))
    event = saved(revision=3)
    commit(event)

    assert drain("test.trace") == 2

    assert (statuses(), effects()) == (["dead", "done"], ["stored 3"])
    told = Event.objects.get(type="ReportEvent")
    cause = Event.objects.get(type="AnswerEvent")
    assert (told.causation_id, told.correlation_id) == (event.id, cause.correlation_id)


def test_what_it_publishes_about_a_buried_one_wakes_its_subscriber(monkeypatch: pytest.MonkeyPatch) -> None:
    woken = list[str]()
    monkeypatch.setattr("eventbus.wakeups.enqueue", lambda wakeup: woken.append(wakeup.subscriber))
    subscribed(refuse, on_dead=lambda event: publish(evaluated(event)))
    subscribe(ReportEvent, name="test.store")(lambda event: None)
    commit(saved())
    woken.clear()
    kill_workers(15)
    sweep()
    assert woken == ["test.store"]


def test_of_an_event_that_breaks_its_contract_it_gets_what_can_be_read() -> None:
    subscribed(lambda event: effect("handled"))
    commit(saved(revision=6))
    stored = Event.objects.get()
    del stored.payload["dataschema"]
    stored.save()
    drain_all()
    assert (statuses(), effects()) == (["dead"], ["dead 6"])
    assert Delivery.objects.get().last_error.startswith("ContractError: ")


def test_an_event_of_which_nothing_can_be_read_is_dead_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    subscribed(lambda event: effect("handled"))
    commit(saved())
    Event.objects.update(payload={"data": {"answer": {"note": SECRET}}})
    drain_all()
    assert (statuses(), effects()) == (["dead"], [])
    assert "nobody is told that it is dead" in caplog.text
    assert SECRET not in caplog.text


def test_where_it_fails_for_a_while_the_mark_waits_for_it(caplog: pytest.LogCaptureFixture) -> None:
    tries = list[int]()

    def stumble(event: AnswerEvent) -> None:
        effect("half told")
        tries.append(event.answer.revision)
        if len(tries) < 3:
            raise OperationalError(SECRET)

    subscribed(refuse, on_dead=stumble)
    commit(saved())
    drain_all()
    delivery = Delivery.objects.get()
    assert (delivery.status, effects()) == ("leased", [])
    assert "NeverRetry: no at test_on_dead.py" in delivery.last_error
    assert "; on_dead failed: django.db.utils.OperationalError at test_on_dead.py" in delivery.last_error
    for expected in ("leased", "dead"):
        let_leases_run_out()
        sweep()
        assert statuses() == [expected]
    assert (tries, effects()) == ([1, 1, 1], ["half told"])
    assert SECRET not in caplog.text


@pytest.mark.parametrize("error", [NeverRetry("nobody listens"), LookupError(SECRET)])
def test_where_it_never_can_the_delivery_is_dead_without_it(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    def break_down(event: AnswerEvent) -> None:
        effect("half told")
        raise error

    subscribed(refuse, on_dead=break_down)
    commit(saved())
    drain_all()
    assert (statuses(), effects()) == (["dead"], [])
    assert "; on_dead failed: " in Delivery.objects.get().last_error
    assert metrics.snapshot()["on_dead_failed"] == 1
    assert SECRET not in caplog.text


def test_what_always_fails_for_a_while_ends_all_the_same() -> None:
    tries = list[None]()

    def stumble(event: AnswerEvent) -> None:
        tries.append(None)
        raise OperationalError

    subscribed(fail, on_dead=stumble, retry=Retry(max_attempts=2))
    commit(saved())
    for _ in range(10):
        let_retries_be_due()
        let_leases_run_out()
        drain_all()
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts, len(tries)) == ("dead", 2, 3)
    assert metrics.snapshot()["on_dead_failed"] == 1


def test_one_that_kills_each_worker_that_calls_it_ends_all_the_same() -> None:
    subscribed(refuse, on_dead=lambda event: effect("is not reached"), retry=Retry(max_attempts=2))
    commit(saved())
    kill_workers(4)
    sweep()
    delivery = Delivery.objects.get()
    assert (delivery.status, effects()) == ("dead", [])
    assert delivery.last_error.endswith("; on_dead never finished")


def test_a_worker_that_lost_its_lease_tells_nobody() -> None:
    subscribed(refuse)
    commit(saved())
    late = claim(registry["test.trace"])[0]
    let_leases_run_out()
    assert len(claim_expired(registry["test.trace"])) == 1

    deliver(late)

    assert (statuses(), effects()) == (["leased"], [])


def test_what_was_erased_is_skipped_and_nobody_told() -> None:
    subscribed(refuse)
    commit(saved(A))
    kill_workers(15)
    erase(str(A))
    sweep()
    assert (statuses(), effects()) == (["skipped"], [])


def test_nothing_of_a_paused_subscriber_is_buried() -> None:
    subscribed(refuse)
    commit(saved())
    kill_workers(15)
    pause("test.trace", by="Ada")
    sweep()
    assert (statuses(), effects()) == (["leased"], [])
