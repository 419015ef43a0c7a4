"""Small makers for the tests of the bus. The facts are real contracts, the subscribers are the tests' own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from contracts import AnswerEvent, AnswerSnapshot, GivenAnswer, QuestionnaireRef, ReportEvent, ReportSnapshot
from contracts.answers import AnswerState
from eventbus import publish
from eventbus.models import Delivery, Replay
from eventbus.replays import Selection, carry_out, place

ACME = UUID("00000000-0000-4000-8000-000000000001")
QUESTIONNAIRE = QuestionnaireRef(slug="quick-check", version="1.0", digest="0" * 64)
SECRET = "we have no backups"


def saved(submission: UUID | None = None, revision: int = 1, state: AnswerState = "changed") -> AnswerEvent:
    """Answers that were saved."""
    answer = AnswerSnapshot(
        submission=submission or uuid4(),
        organisation=ACME,
        questionnaire=QUESTIONNAIRE,
        revision=revision,
        values={"QC-01": GivenAnswer(value="F"), "QC-06": GivenAnswer(value="N", note=SECRET)},
    )
    return AnswerEvent(answer=answer, state=state)


def evaluated(event: AnswerEvent) -> ReportEvent:
    """An evaluation of them."""
    report = ReportSnapshot(
        submission=event.answer.submission,
        organisation=event.answer.organisation,
        questionnaire=event.answer.questionnaire,
        revision=event.answer.revision,
        provisional=event.state != "submitted",
        values=event.answer.values,
        evaluation={"score": 50},
        engine="weighted-v1",
    )
    return ReportEvent(report=report, state="evaluated")


def commit(*events: AnswerEvent) -> None:
    """Publish each in a transaction of its own."""
    for event in events:
        with transaction.atomic():
            publish(event)


def replay(
    selection: Selection, *, rate: int, by: str, progress: Callable[[Replay], None] = lambda order: None
) -> Replay:
    """Order a replay and make its deliveries at once; gives its record."""
    return carry_out(place(selection, rate=rate, by=by).pk, progress)


def effect(label: object) -> None:
    """A trace in the database that rolls back with its transaction; doing it twice leaves two."""
    Session.objects.create(session_key=uuid4().hex, session_data=str(label), expire_date=timezone.now())


def effects() -> list[str]:
    """The traces, oldest first."""
    return list(Session.objects.order_by("expire_date").values_list("session_data", flat=True))


def statuses() -> list[str]:
    """The status of each delivery, oldest first."""
    return list(Delivery.objects.order_by("pk").values_list("status", flat=True))


def let_leases_run_out() -> None:
    """As if the time of every lease were over."""
    Delivery.objects.filter(status="leased").update(leased_until=Now() - timedelta(seconds=1))


def let_retries_be_due() -> None:
    """As if every wait were over."""
    Delivery.objects.filter(status="ready").update(due_at=Now() - timedelta(seconds=1))
