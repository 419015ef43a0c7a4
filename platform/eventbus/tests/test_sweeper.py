"""The sweeper: delivers at its start and goes on whatever happens."""

from __future__ import annotations

import itertools
import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError
from django.db.models.functions import Now

from contracts import AnswerEvent
from eventbus import metrics, stuck, subscribe
from eventbus.deliveries import drain_all
from eventbus.leases import claim
from eventbus.models import Delivery
from eventbus.subscriptions import Subscription, registry
from eventbus.sweeper import Sweeper, expire_leases
from eventbus.tests.making import commit, effect, effects, saved, statuses

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_first_sweep_comes_at_once_and_needs_no_broker() -> None:
    delivered = threading.Event()

    @subscribe(AnswerEvent, name="test.trace")
    def trace(event: AnswerEvent) -> None:
        effect(event.answer.revision)
        delivered.set()

    commit(saved())
    sweeper = Sweeper(interval=3600)
    sweeper.start()
    assert delivered.wait(10)
    sweeper.stop()
    assert not sweeper.is_alive
    assert (effects(), statuses()) == (["1"], ["done"])
    assert metrics.snapshot()["swept"] == 1


def test_an_error_of_the_sweep_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    def vanish(event: AnswerEvent) -> None:
        raise AssertionError("is never called")

    class Broken(Subscription):
        """A subscription whose policy can't be read: the sweep itself fails."""

        @property
        def timeout(self) -> float:
            raise RuntimeError("secret")

    subscribe(AnswerEvent, name="test.trace")(vanish)
    commit(saved())
    registry["test.trace"] = object.__new__(Broken)
    sweeper = Sweeper()
    sweeper.sweep_once()
    sweeper.sweep_once()
    assert metrics.snapshot()["sweep_failed"] == 2
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            OperationalError("connection to server at 127.0.0.1 failed: Connection refused\n\tIs the server running?"),
            "OperationalError, connection to server at 127.0.0.1 failed: Connection refused",
        ),
        (IntegrityError("Key (email)=(ada@example.org) already exists"), "IntegrityError"),
    ],
)
def test_the_log_says_why_a_sweep_failed_where_the_reason_quotes_no_row(
    error: Exception, line: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(grace: float, **kwargs: object) -> int:
        raise error

    monkeypatch.setattr("eventbus.sweeper.sweep", fail)
    Sweeper().sweep_once()
    assert caplog.messages == [f"the sweep failed and is tried again: {line}"]


class Hanging:
    """In place of a sweep: the first one hangs in a handler, until it is released."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.released, self.swept_again = threading.Event(), threading.Event()
        self._calls = itertools.count()
        monkeypatch.setattr("eventbus.sweeper.sweep", self._sweep)

    def _sweep(self, grace: float, **kwargs: object) -> int:
        if next(self._calls):
            self.swept_again.set()
            return 0
        with stuck.limited(0.05):
            self.released.wait(30)
        return 1


def test_a_handler_that_hangs_does_not_end_the_sweeping(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hanging = Hanging(monkeypatch)
    sweeper = Sweeper(interval=0.05)
    sweeper.start()
    assert hanging.swept_again.wait(10)
    assert metrics.snapshot()["sweeper_stuck"] == 1
    assert "the sweeper is stuck in a handler" in caplog.text
    hanging.released.set()
    sweeper.stop()
    assert not sweeper.is_alive


def test_a_process_that_can_be_spared_is_told_that_its_sweeper_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    hanging, told = Hanging(monkeypatch), threading.Event()
    sweeper = Sweeper(interval=0.05, on_stuck=told.set)
    sweeper.start()
    assert told.wait(10)
    assert not hanging.swept_again.is_set()
    hanging.released.set()
    sweeper.stop()


def test_a_handler_within_its_time_is_not_stuck() -> None:
    with stuck.limited(60):
        assert not stuck.is_stuck(threading.current_thread())
    with stuck.limited(-1):
        assert stuck.is_stuck(threading.current_thread())
    assert not stuck.is_stuck(threading.current_thread())


def test_a_start_that_is_alone_takes_up_what_the_killed_process_had_at_work() -> None:
    @subscribe(AnswerEvent, name="test.trace")
    def trace(event: AnswerEvent) -> None:
        effect(event.answer.revision)

    commit(saved())
    assert len(claim(registry["test.trace"])) == 1
    assert drain_all() == 0

    assert expire_leases() == 1
    assert drain_all() == 1
    assert (effects(), statuses()) == (["1"], ["done"])


def test_later_sweeps_leave_what_just_became_due_to_its_wake_up() -> None:
    subscribe(AnswerEvent, name="test.trace")(lambda event: effect(event.answer.revision))
    sweeper = Sweeper(interval=60)
    sweeper.sweep_once()
    commit(saved())
    sweeper.sweep_once()
    assert statuses() == ["ready"]

    Delivery.objects.update(due_at=Now() - timedelta(seconds=120))
    sweeper.sweep_once()
    assert (effects(), statuses()) == (["1"], ["done"])
