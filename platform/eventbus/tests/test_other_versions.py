"""Deliveries of what a newer version published: handled where that can be, else kept for a process that can."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from contracts import AnswerEvent
from eventbus import Retry, subscribe
from eventbus.deliveries import drain_all
from eventbus.models import Delivery, Event
from eventbus.pausing import standings
from eventbus.tests.making import commit, effect, effects, let_retries_be_due, saved, statuses

pytestmark = pytest.mark.django_db(transaction=True)
RECORDED = Path(__file__).resolve().parents[3] / "tests" / "data" / "events_of_later_versions.json"
CAN_NOT_BE_READ = ["unknown version", "unknown state"]


def _published_by_a_newer_version(kind: str) -> None:
    """Store the recorded AnswerEvent of that kind, with its deliveries, in the place of one of this version."""
    commit(saved())
    document: dict[str, Any] = json.loads(RECORDED.read_text())[kind][0]
    Event.objects.update(payload=document | {"id": str(uuid4())})


def _tried(times: int) -> None:
    for _attempt in range(times):
        let_retries_be_due()
        drain_all()


@pytest.mark.parametrize("batch", [False, True])
def test_members_that_this_version_does_not_know_do_not_keep_an_event_from_being_handled(batch: bool) -> None:
    @subscribe(AnswerEvent, name="test.trace", batch=batch)
    def trace(event: AnswerEvent) -> None:
        effect(f"{event.state} {event.answer.revision}")

    _published_by_a_newer_version("unknown members")
    drain_all()

    assert (statuses(), effects()) == (["done"], ["submitted 3"])


@pytest.mark.parametrize("kind", CAN_NOT_BE_READ)
def test_what_only_a_newer_version_can_read_waits_for_it_however_often_this_one_has_tried(kind: str) -> None:
    subscribe(AnswerEvent, name="test.trace", retry=Retry(max_attempts=3))(lambda event: effect("handled"))
    _published_by_a_newer_version(kind)

    _tried(5)

    waiting = Delivery.objects.get()
    assert (waiting.status, waiting.attempts, effects()) == ("ready", 0, [])
    assert waiting.last_error.startswith("UnknownForm: ")
    assert "these ones after the upgrade" in waiting.last_error
    assert [each.dead for each in standings()] == [0]

    Event.objects.update(payload=saved().to_cloudevent())  # what the newer version makes of it
    _tried(1)
    assert (statuses(), effects()) == (["done"], ["handled"])


@pytest.mark.parametrize("kind", CAN_NOT_BE_READ)
def test_it_is_given_up_once_it_is_too_old(kind: str) -> None:
    subscribe(AnswerEvent, name="test.trace", retry=Retry(max_age=timedelta(days=2)))(lambda event: effect("handled"))
    _published_by_a_newer_version(kind)
    Delivery.objects.update(created_at=Now() - timedelta(days=2) + timedelta(minutes=1))
    _tried(1)
    assert statuses() == ["ready"]

    Delivery.objects.update(created_at=Now() - timedelta(days=2))
    _tried(1)

    assert (statuses(), effects()) == (["dead"], [])


def test_on_dead_gets_what_can_be_read_of_a_version_that_was_never_installed() -> None:
    subscribe(AnswerEvent, name="test.trace", on_dead=lambda event: effect(f"dead {event.answer.revision}"))(
        lambda event: effect("handled")
    )
    commit(saved(revision=6))
    stored = Event.objects.get()
    stored.payload["dataschema"] = "/schemas/AnswerEvent.v2.json"
    stored.save()
    Delivery.objects.update(created_at=Now() - timedelta(days=3))

    drain_all()

    assert (statuses(), effects()) == (["dead"], ["dead 6"])


@pytest.mark.parametrize(("waited", "longest"), [(0, 0.5), (40, 40), (86_400, 600)])
def test_it_waits_at_most_as_long_again_as_it_has_waited(
    monkeypatch: pytest.MonkeyPatch, waited: float, longest: float
) -> None:
    monkeypatch.setattr("eventbus.subscriptions._dice.uniform", lambda shortest, longest: longest)

    assert Retry().wait_for_others(timedelta(seconds=waited)) == timedelta(seconds=longest)


def test_others_of_its_subscriber_do_not_wait_for_it() -> None:
    subscribe(AnswerEvent, name="test.trace")(lambda event: effect(event.answer.revision))
    _published_by_a_newer_version("unknown state")
    commit(saved(revision=7))

    drain_all()

    assert (statuses(), effects()) == (["ready", "done"], ["7"])
