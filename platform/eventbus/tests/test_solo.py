"""One worker in threads of the process that publishes: what is published while it waits is its own at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction

from contracts import AnswerEvent
from eventbus import publish, scope, solo, subscribe, wakeups
from eventbus.deliveries import sweep
from eventbus.models import Status
from eventbus.pausing import pause
from eventbus.sweeper import expire_leases
from eventbus.tests.making import commit, effect, effects, saved, statuses

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite]
NAME = "test.solo"


def trace(event: AnswerEvent) -> None:
    effect(event.answer.revision)


@pytest.fixture(autouse=True)
def worker() -> Iterator[None]:
    """A worker in this process that waits for the next wake-up, which the tests give."""
    subscribe(AnswerEvent, name=NAME)(trace)
    solo.work_here()
    yield
    wakeups.neighbour = None
    solo._posts.clear()


def test_what_is_published_while_the_worker_waits_is_leased_to_it() -> None:
    commit(saved())
    assert statuses() == [Status.LEASED]

    solo.answer(NAME, None)
    assert (statuses(), effects()) == ([Status.DONE], ["1"])


def test_what_comes_before_it_has_begun_waits_to_be_claimed_with_it() -> None:
    commit(saved(revision=1))
    commit(saved(revision=1))
    assert statuses() == [Status.LEASED, Status.READY]

    solo.answer(NAME, None)
    assert statuses() == [Status.DONE, Status.DONE]


def test_a_later_event_of_the_same_line_waits_for_the_earlier_one() -> None:
    first = saved(revision=1)
    commit(first)
    commit(saved(first.answer.submission, revision=2))
    assert statuses() == [Status.LEASED, Status.READY]

    solo.answer(NAME, None)
    assert (statuses(), effects()) == ([Status.DONE, Status.DONE], ["1", "2"])


def test_what_was_rolled_back_leaves_the_worker_idle() -> None:
    with transaction.atomic():
        publish(saved())
        transaction.set_rollback(True)
    commit(saved())
    assert statuses() == [Status.LEASED]


def test_a_lease_whose_process_died_is_taken_up_at_the_next_start() -> None:
    commit(saved())
    solo._posts.clear()  # the process is gone, and what it had in memory

    assert sweep() == 0
    expire_leases()
    assert sweep() == 1
    assert (statuses(), effects()) == ([Status.DONE], ["1"])


def test_a_lease_that_somebody_else_took_over_has_no_second_effect() -> None:
    commit(saved())
    expire_leases()
    sweep()

    solo.answer(NAME, None)
    assert (statuses(), effects()) == ([Status.DONE], ["1"])


def test_nothing_is_leased_for_a_paused_subscriber_nor_while_the_process_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    pause(NAME, by="Ada")
    commit(saved())
    assert statuses() == [Status.READY]

    monkeypatch.setattr(scope, "stopping", type(scope.stopping)())
    scope.stopping.set()
    assert wakeups.own_token(NAME) is None
