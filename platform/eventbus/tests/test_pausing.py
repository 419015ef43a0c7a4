"""Pausing: a paused subscriber gets nothing, and loses nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from contracts import AnswerEvent
from eventbus import Retry, metrics, subscribe
from eventbus.deliveries import drain, drain_all, sweep
from eventbus.leases import claim
from eventbus.models import Delivery, SubscriptionState
from eventbus.pausing import Standing, UnknownSubscriber, pause, resume, standings
from eventbus.subscriptions import registry
from eventbus.tests.making import commit, effect, effects, let_leases_run_out, saved, statuses

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _two_subscribers() -> None:
    subscribe(AnswerEvent, name="test.trace")(lambda event: effect(f"trace {event.answer.revision}"))
    subscribe(AnswerEvent, name="test.other")(lambda event: effect(f"other {event.answer.revision}"))


def test_wake_ups_and_sweeps_claim_nothing_of_a_paused_subscriber_and_publishing_goes_on() -> None:
    assert pause("test.trace", by="Ada")
    commit(saved(revision=1))
    hint = Delivery.objects.get(subscriber="test.trace").pk
    assert (drain("test.trace", hint), drain("test.trace"), sweep()) == (0, 0, 1)
    commit(saved(revision=2))
    assert drain_all() == 1
    assert effects() == ["other 1", "other 2"]


def test_what_waited_is_delivered_in_order_once_it_is_resumed() -> None:
    pause("test.trace", by="Ada")
    key = saved().answer.submission
    commit(*(saved(key, number) for number in (1, 2, 3)))
    drain_all()
    assert resume("test.trace", by="Ada")
    assert drain_all() == 3
    assert [label for label in effects() if label.startswith("trace")] == ["trace 1", "trace 2", "trace 3"]
    assert set(statuses()) == {"done"}


def test_a_lease_that_runs_out_during_the_pause_waits_even_at_its_last_attempt() -> None:
    commit(saved())
    claim(registry["test.trace"])
    Delivery.objects.filter(subscriber="test.trace").update(attempts=15)
    pause("test.trace", by="Ada")
    let_leases_run_out()
    assert sweep() == 1
    assert Delivery.objects.get(subscriber="test.trace").status == "leased"


def test_the_pause_does_not_count_towards_the_maximum_age() -> None:
    @subscribe(AnswerEvent, name="test.fail", retry=Retry(max_age=timedelta(hours=1)))
    def fail(event: AnswerEvent) -> None:
        raise OperationalError

    pause("test.fail", by="Ada")
    commit(saved())
    Delivery.objects.update(created_at=Now() - timedelta(days=3))
    resume("test.fail", by="Ada")
    drain("test.fail")
    assert Delivery.objects.get(subscriber="test.fail").status == "ready"


def test_pausing_and_resuming_twice_says_that_nothing_changed() -> None:
    assert (pause("test.trace", by="Ada"), pause("test.trace", by="Bob")) == (True, False)
    assert SubscriptionState.objects.get().changed_by == "Ada"
    assert (resume("test.trace", by="Bob"), resume("test.trace", by="Cleo")) == (True, False)
    assert SubscriptionState.objects.get().changed_by == "Bob"


def test_a_name_that_nobody_has_is_refused_with_the_names_that_there_are() -> None:
    for action in (pause, resume):
        with pytest.raises(UnknownSubscriber, match=r"'test\.nobody'; known are: test\.other, test\.trace"):
            action("test.nobody", by="Ada")


def test_the_standings_show_what_waits_for_whom() -> None:
    commit(saved(), saved())
    Delivery.objects.filter(subscriber="test.other").update(subscriber="test.gone")
    first = Delivery.objects.filter(subscriber="test.trace").earliest("pk").pk
    Delivery.objects.filter(pk=first).update(
        created_at=Now() - timedelta(minutes=5), due_at=Now() - timedelta(minutes=2)
    )
    pause("test.trace", by="Ada")
    gone, other, trace = standings()
    assert (gone.name, gone.known, gone.ready) == ("test.gone", False, 2)
    assert other == Standing(name="test.other", known=True, event_type="AnswerEvent")
    assert (trace.name, trace.ready, trace.leased, trace.dead, trace.changed_by) == ("test.trace", 2, 0, 0, "Ada")
    assert timedelta(minutes=2) <= trace.lag < timedelta(minutes=3)
    assert trace.oldest is not None
    assert timedelta(minutes=5) <= trace.oldest < timedelta(minutes=6)
    assert trace.paused_at is not None


def test_what_waits_for_a_paused_subscriber_does_not_make_the_service_unwell() -> None:
    pause("test.trace", by="Ada")
    commit(saved())
    drain_all()
    found = metrics.health()
    assert (found.oldest, found.ready) == (None, 1)
    resume("test.trace", by="Ada")
    assert metrics.health().oldest is not None
