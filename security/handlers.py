"""What `security` does about saved answers: a thin adapter around the scoring engine."""

from __future__ import annotations

from typing import Any

from django.db import connection

from contracts import AnswerEvent, AnswerSnapshot, ReportEvent, ReportSnapshot
from eventbus import TryAgain, publish, subscribe
from questionnaires import library
from questionnaires.definition import Questionnaire
from security.scoring import ENGINE, evaluate

ONE_WRITER = connection.vendor == "sqlite"
"""Where there is one writer at a time transactions can't deadlock, and a shared one waits for its turn once."""


def report_failure(event: AnswerEvent) -> None:
    """Say that these answers will not be evaluated. Where their draft was deleted, do what needs no evaluation."""
    if event.state == "deleted":
        evaluate_answers(event)
        return
    report = _snapshot(event.answer, evaluation=None, provisional=event.state != "submitted")
    publish(ReportEvent(state="failed", report=report))


@subscribe(
    AnswerEvent,
    name="security.evaluate",
    coalesce=True,
    timeout=10.0,
    queue="security",
    batch=ONE_WRITER,
    on_dead=report_failure,
)
def evaluate_answers(event: AnswerEvent) -> None:
    """Publish the evaluation of the answers, or, where their draft was deleted, that it no longer holds."""
    answer = event.answer
    if event.state == "deleted":
        publish(ReportEvent(state="withdrawn", report=_snapshot(answer, evaluation=None, provisional=True)))
        return
    values = {question: given.value for question, given in answer.values.items() if given.value is not None}
    evaluation = evaluate(_questionnaire(answer), values).to_document()
    report = _snapshot(answer, evaluation=evaluation, provisional=event.state != "submitted")
    publish(ReportEvent(state="evaluated", report=report))


def _questionnaire(answer: AnswerSnapshot) -> Questionnaire:
    """The very edition that was answered; a worker that does not have it yet tries again later."""
    wanted = answer.questionnaire
    try:
        return library.by_digest(wanted.digest)
    except library.UnknownQuestionnaire as error:
        raise TryAgain(
            f"this installation does not have the questionnaire {wanted.slug} {wanted.version} "
            f"(digest {wanted.digest[:12]}): load it with `manage.py load_questionnaires`; the delivery then succeeds"
        ) from error


def _snapshot(answer: AnswerSnapshot, *, evaluation: dict[str, Any] | None, provisional: bool) -> ReportSnapshot:
    return ReportSnapshot(
        submission=answer.submission,
        organisation=answer.organisation,
        questionnaire=answer.questionnaire,
        revision=answer.revision,
        provisional=provisional,
        values=answer.values if evaluation is not None else {},
        evaluation=evaluation,
        engine=ENGINE,
        line=answer.line,
        line_name=answer.line_name,
    )
