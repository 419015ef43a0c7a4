"""Turns evaluations into reports. Everything here runs inside one transaction, the delivery's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from django.utils import timezone

from contracts import ReportEvent, ReportSnapshot
from contracts.lines import line_of
from questionnaires import library
from reports import statements
from reports.models import Feed, Report
from reports.problems import forget
from security.scoring import Evaluation, compare, evaluate

Change = Literal["new", "changed", "removed"]
"""What became of a report: it appeared (as a draft's first one, or as a final one), a draft's got newer, it went."""


def store_evaluation(event: ReportEvent) -> tuple[Report, Change] | None:
    """Store what `security` found out; None where something newer is stored already.

    Raises UnknownQuestionnaire where the definition that was answered is not installed.
    """
    # First, because it also locks: nobody else stores for this organisation until we commit.
    position = Feed.objects.advance(event.report.organisation)
    rows, latest_final = statements.standing(event.report)
    if event.state == "withdrawn":
        forget(event.report.submission)
        return _withdraw(event, rows, position)
    if event.report.provisional:
        return _store_provisional(event, rows, position, latest_final)
    return _store_final(event, rows, position, latest_final)


def _withdraw(event: ReportEvent, rows: list[Report], position: int) -> tuple[Report, Change] | None:
    report = _provisional_of(rows) or Report(questionnaire_title=event.report.questionnaire.slug)
    if report.withdrawn or any(row.revision >= event.report.revision for row in rows):
        return None
    _fill(report, event, position, None)
    report.withdrawn = True
    statements.store(report)
    return report, "removed"


def _store_provisional(
    event: ReportEvent, rows: list[Report], position: int, latest_final: Report | None
) -> tuple[Report, Change] | None:
    draft = _provisional_of(rows)
    late = any(row.revision >= event.report.revision for row in rows)
    if late or (draft is not None and draft.withdrawn):
        return None
    report = draft or Report()
    _fill(report, event, position, _with_comparison(event, latest_final))
    statements.store(report)
    return report, "changed" if draft else "new"


def _store_final(
    event: ReportEvent, rows: list[Report], position: int, latest_final: Report | None
) -> tuple[Report, Change] | None:
    new = event.report
    if any(not row.provisional and (row.revision, row.engine) == (new.revision, new.engine) for row in rows):
        return None
    draft = _provisional_of(rows)
    # A draft that is newer than what was submitted belongs to the next round; a tombstone stays one.
    report = draft if draft and not draft.withdrawn and draft.revision <= new.revision else Report()
    report.created_at = timezone.now()  # a final report is new on the day on which it became final
    _fill(report, event, position, _with_comparison(event, _earlier(event.report, rows, latest_final)))
    statements.store(report)
    return report, "new"


def _provisional_of(rows: list[Report]) -> Report | None:
    return next((row for row in rows if row.provisional), None)


def _fill(report: Report, event: ReportEvent, position: int, evaluation: dict[str, Any] | None) -> None:
    new = event.report
    report.organisation_id = new.organisation
    report.submission = new.submission
    report.line = line_of(new)
    report.line_name = new.line_name
    report.questionnaire_slug = new.questionnaire.slug
    report.questionnaire_version = new.questionnaire.version
    report.questionnaire_digest = new.questionnaire.digest
    report.revision = new.revision
    report.provisional = new.provisional
    report.engine = new.engine
    report.position = position
    report.event_id = event.id
    report.evaluation = evaluation
    report.values = {} if evaluation is None else {key: asdict(given) for key, given in new.values.items()}
    report.score = _decimal(evaluation, "score")
    report.score_high = _decimal(evaluation, "score_high")
    report.rating = (evaluation or {}).get("rating") or ""
    if evaluation is not None:
        report.questionnaire_title = library.by_digest(new.questionnaire.digest).title


def _decimal(evaluation: dict[str, Any] | None, key: str) -> Decimal | None:
    number = (evaluation or {}).get(key)
    return None if number is None else Decimal(str(number))


def _with_comparison(event: ReportEvent, previous: Report | None) -> dict[str, Any]:
    """The evaluation with what changed since the newest earlier final report of the same line."""
    document = dict(event.report.evaluation or {})
    document["comparison"] = None
    if previous is not None:
        answers = {key: given.value for key, given in event.report.values.items()}
        now = evaluate(library.by_digest(event.report.questionnaire.digest), answers)
        document["comparison"] = compare(_evaluation_of(previous.pk), now).to_document()
    return document


@lru_cache(maxsize=256)
def _evaluation_of(final: UUID) -> Evaluation:
    """A stored final report evaluated by today's engine. It never changes, so this is remembered."""
    report = Report.objects.only("questionnaire_digest", "values", "provisional").get(pk=final)
    return evaluate(library.by_digest(report.questionnaire_digest), plain_answers(report.values))


def _earlier(new: ReportSnapshot, rows: list[Report], latest_final: Report | None) -> Report | None:
    """What a final report is compared with: the latest one, or, where another engine evaluated these very answers
    before, the one from before that."""
    twins = [row.position for row in rows if not row.provisional and row.revision >= new.revision]
    if not twins:
        return latest_final
    finals = Report.objects.finals_of_line(new.organisation, line_of(new))
    return finals.filter(position__lt=min(twins)).only("pk").first()


def plain_answers(values: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Stored answers as the scoring takes them: without their notes."""
    return {key: given["value"] for key, given in values.items()}


def announcement(event: ReportEvent, report: Report, change: Change) -> ReportEvent:
    """The event with which `reports` tells the others what became of the evaluation."""
    return ReportEvent(
        report=replace(event.report, evaluation=report.evaluation),
        state=change,
        correlation_id=event.correlation_id,
        causation_id=event.id,
    )
