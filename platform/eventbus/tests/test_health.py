"""What is seen from outside."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from contracts import AnswerEvent
from eventbus import NeverRetry, metrics, subscribe
from eventbus.dead_letters import redrive
from eventbus.deliveries import drain_all
from eventbus.leases import claim
from eventbus.metrics import Health, health
from eventbus.models import Delivery, Event
from eventbus.pausing import pause, standings
from eventbus.subscriptions import registry
from eventbus.tests.making import commit, let_leases_run_out, saved

pytestmark = pytest.mark.django_db(transaction=True)


def test_nothing_to_do_is_healthy() -> None:
    assert health() == Health(oldest=None, ready=0, leased=0, overdue=0, dead=0)


def test_what_waits_is_counted_by_state_and_age() -> None:
    @subscribe(AnswerEvent, name="test.trace")
    def trace(event: AnswerEvent) -> None:
        raise NeverRetry("no")

    commit(saved())
    drain_all()
    commit(saved())
    claim(registry["test.trace"])
    let_leases_run_out()
    commit(saved(), saved())
    Delivery.objects.filter(status="leased").update(created_at=Now() - timedelta(minutes=5))
    found = health()
    assert (found.ready, found.leased, found.overdue, found.dead) == (2, 1, 1, 1)
    assert found.oldest is not None
    assert timedelta(minutes=5) <= found.oldest < timedelta(minutes=6)


def test_one_age_counts_from_what_an_operator_began_anew() -> None:
    @subscribe(AnswerEvent, name="test.trace")
    def trace(event: AnswerEvent) -> None:
        if event.answer.revision == 1:
            raise NeverRetry("no")

    commit(saved(revision=1), saved(revision=2))
    drain_all()
    Event.objects.update(created_at=Now() - timedelta(days=3))
    Delivery.objects.update(created_at=Now() - timedelta(days=3))
    redrive(Delivery.objects.all(), "Ada")
    commit(saved(revision=3))
    Delivery.objects.filter(age_from=None).update(created_at=Now() - timedelta(minutes=5))
    (standing,) = standings()
    assert standing.oldest is not None
    assert timedelta(minutes=5) <= standing.oldest < timedelta(minutes=6)
    assert standing.worrying_age == standing.oldest

    pause("test.trace", "Ada")

    (standing,) = standings()
    assert (standing.oldest is None, standing.worrying_age, health().oldest) == (False, None, None)


def test_deliveries_are_counted_by_outcome() -> None:
    @subscribe(AnswerEvent, name="test.trace", coalesce=True)
    def trace(event: AnswerEvent) -> None:
        if event.answer.revision == 2:
            raise OperationalError
        if event.answer.revision == 3:
            raise NeverRetry("no")

    superseded = saved()
    commit(superseded, saved(superseded.answer.submission), saved(revision=2), saved(revision=3))
    drain_all()
    counted = metrics.snapshot()
    assert {name: counted[name] for name in ("published", "done", "retried", "dead", "skipped")} == {
        "published": 4,
        "done": 1,
        "retried": 1,
        "dead": 1,
        "skipped": 1,
    }
