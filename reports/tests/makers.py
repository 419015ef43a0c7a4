"""Small factories: evaluations as `security` publishes them, and reports as the handler stores them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from accounts.models import Organisation
from contracts import GivenAnswer, QuestionnaireRef, ReportEvent, ReportSnapshot
from questionnaires.definition import Questionnaire
from reports.handlers import store
from reports.models import Report
from security.scoring import ENGINE, evaluate

GOLDEN = dict(
    zip(
        (f"QC-{number:02}" for number in range(1, 13)),
        ("F", "P", "L", "F", "L", "N", "F", "P", "P", "L", "N", "dont_know"),
        strict=True,
    )
)
"""SCORING 11: score 50, up to 58.3333, C capped to D by QC-06."""


def ref(questionnaire: Questionnaire) -> QuestionnaireRef:
    return QuestionnaireRef(slug=questionnaire.slug, version=questionnaire.version, digest=questionnaire.digest)


def evaluated(
    questionnaire: Questionnaire,
    organisation: Organisation,
    answers: Mapping[str, Any] | None = None,
    *,
    submission: UUID | None = None,
    revision: int = 1,
    provisional: bool = True,
    notes: Mapping[str, str] | None = None,
    engine: str = ENGINE,
    line: UUID | None = None,
    line_name: str = "",
) -> ReportEvent:
    """What `security` says about these answers."""
    answers = GOLDEN if answers is None else answers
    snapshot = ReportSnapshot(
        submission=submission or uuid4(),
        organisation=organisation.pk,
        questionnaire=ref(questionnaire),
        revision=revision,
        provisional=provisional,
        values={key: GivenAnswer(value=value, note=(notes or {}).get(key, "")) for key, value in answers.items()},
        evaluation=evaluate(questionnaire, answers).to_document(),
        engine=engine,
        line=line,
        line_name=line_name,
    )
    return ReportEvent(report=snapshot, state="evaluated")


def withdrawn(
    questionnaire: Questionnaire, organisation: Organisation, submission: UUID, *, revision: int
) -> ReportEvent:
    """What `security` says when a draft was deleted."""
    snapshot = ReportSnapshot(
        submission=submission,
        organisation=organisation.pk,
        questionnaire=ref(questionnaire),
        revision=revision,
        provisional=True,
        values={},
        evaluation=None,
        engine=ENGINE,
    )
    return ReportEvent(report=snapshot, state="withdrawn")


def stored(event: ReportEvent) -> Report:
    """The newest report of the event's submission, once the event is handled."""
    with transaction.atomic():
        store(event)
    return Report.objects.filter(submission=event.report.submission).latest("position")


def failed(
    questionnaire: Questionnaire, organisation: Organisation, submission: UUID, *, revision: int, provisional: bool
) -> ReportEvent:
    """What `security` says where it gave up."""
    snapshot = ReportSnapshot(
        submission=submission,
        organisation=organisation.pk,
        questionnaire=ref(questionnaire),
        revision=revision,
        provisional=provisional,
        values={},
        evaluation=None,
        engine=ENGINE,
    )
    return ReportEvent(report=snapshot, state="failed")


def handled(event: ReportEvent) -> None:
    """As if `reports.store` had got the event."""
    with transaction.atomic():
        store(event)
