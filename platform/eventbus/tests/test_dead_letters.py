"""Redriving dead letters."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from contracts import AnswerEvent
from eventbus import NeverRetry, Retry, erase, subscribe
from eventbus.dead_letters import redrive
from eventbus.deliveries import drain_all
from eventbus.models import Delivery
from eventbus.subscriptions import registry
from eventbus.tests.making import commit, effect, effects, saved, statuses

pytestmark = pytest.mark.django_db(transaction=True)
A, B = UUID(int=0xA), UUID(int=0xB)


class Switch:
    """Breaks the handler, as long as it is on."""

    broken = True


@pytest.fixture
def switch() -> Switch:
    switch = Switch()

    @subscribe(AnswerEvent, name="test.trace")
    def trace(event: AnswerEvent) -> None:
        if switch.broken:
            raise NeverRetry("the outside is away")
        effect(event.answer.revision)

    return switch


def test_a_redriven_one_has_all_its_attempts_again_and_a_note_who_did_it(switch: Switch) -> None:
    commit(saved(A, 1))
    drain_all()
    assert redrive(Delivery.objects.all(), by="Ada") == 1
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.finished_at) == ("ready", 0, None)
    assert delivery.last_error.startswith("NeverRetry: the outside is away")
    assert delivery.note.startswith("redriven by Ada at 20")
    assert delivery.note.endswith(" after 1 attempts\n")
    switch.broken = False
    drain_all()
    assert (effects(), statuses()) == (["1"], ["done"])


def test_many_of_one_key_are_handled_in_order_and_before_newer_ones_that_wait(switch: Switch) -> None:
    commit(saved(A, 1), saved(A, 2), saved(B, 3))
    drain_all()
    commit(saved(A, 4))
    assert redrive(Delivery.objects.filter(key=str(A)), by="Ada") == 2
    switch.broken = False
    drain_all()
    assert effects() == ["1", "2", "4"]
    assert statuses() == ["done", "done", "dead", "done"]


def test_its_age_is_counted_anew() -> None:
    @subscribe(AnswerEvent, name="test.fail", retry=Retry(max_age=timedelta(hours=1)))
    def fail(event: AnswerEvent) -> None:
        raise OperationalError

    commit(saved())
    Delivery.objects.update(created_at=Now() - timedelta(days=3))
    drain_all()
    assert statuses() == ["dead"]
    redrive(Delivery.objects.all(), by="Ada")
    drain_all()
    assert statuses() == ["ready"]


def test_only_dead_ones_that_can_be_handled_are_redriven(switch: Switch) -> None:
    commit(saved(A, 1), saved(B, 2), saved(revision=3))
    drain_all()
    Delivery.objects.filter(event__key=str(B)).update(subscriber="test.gone")
    erase(str(A))
    switch.broken = False
    commit(saved(revision=4))
    drain_all()
    assert statuses() == ["dead", "dead", "dead", "done"]
    assert redrive(Delivery.objects.all(), by="Ada") == 1
    assert statuses() == ["dead", "dead", "ready", "done"]
    assert "test.gone" not in registry
