"""Numbers of reports in templates, and the pieces of a report that other apps show."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import template
from django.db.models import Exists, OuterRef
from django.template.context import RequestContext
from django.utils import timezone

from reports.models import Problem, Report
from reports.numbers import show, show_score, show_share, show_signed
from reports.presentation import ReportPage
from reports.problems import LATE, Standing, standing_of

register = template.Library()
register.filter("score", show_score)
register.filter("points", show)
register.filter("share", show_share)


@register.filter
def signed(number: Decimal | None) -> str:
    """A printed number with its sign and all its decimals."""
    return show_signed(number, 4)


@register.filter
def coordinate(number: Any) -> str:
    """A number for an SVG attribute: with a point, whatever the reader's language."""
    return f"{float(number or 0):g}"


@register.inclusion_tag("reports/_live_panel.html", takes_context=True)
def evaluation_panel(
    context: RequestContext,
    submission: UUID,
    wait: int | None = None,
    due: int | None = None,
    since: datetime | None = None,
) -> dict[str, Any]:
    """The evaluation so far, kept up to date by live.js.

    With `wait`, a revision: says that the report is being made, and goes to it as soon as that revision is final.
    With `due`, a revision, too, unless it is final already. `since`: when that revision was submitted; from a while
    after that on it says what the report waits for, and what to do.
    """
    user = context["request"].user
    report = newest_report(user, submission)
    awaited = due if wait is None else wait
    if awaited is not None and is_final(report, awaited):
        standing = None
    else:
        wait = awaited
        is_late = since is not None and timezone.now() - since > LATE
        standing = standing_of(user, submission, awaited, is_late=is_late)
    return {**panel_context(report, wait, standing), "submission": submission, "request": context["request"]}


@register.simple_tag(takes_context=True)
def failed_evaluations(context: RequestContext, submissions: Iterable[UUID]) -> Collection[UUID]:
    """Those of these submissions of whose newest answers no report could be made."""
    return Problem.objects.visible_to(context["request"].user).of_each(list(submissions))


@register.inclusion_tag("reports/_link.html", takes_context=True)
def evaluation_link(context: RequestContext, submission: UUID) -> dict[str, Any]:
    """A link to the submission's newest report, or nothing."""
    return {"report": newest_report(context["request"].user, submission)}


def newest_report(user: Any, submission: UUID) -> Report | None:
    """The report of the submission's latest answers, where this person may read it.

    `has_problem` can say of it, without a query of its own, whether there is a newer revision of which none was made.
    """
    newer = Problem.objects.filter(submission=OuterRef("submission"), revision__gt=OuterRef("revision"))
    found = Report.objects.visible_to(user).filter(submission=submission).annotate(has_problem=Exists(newer))
    return found.order_by("-revision", "-position").first()


def has_problem(report: Report) -> bool:
    """Whether no report could be made of a newer revision; of what `newest_report` gave."""
    return bool(vars(report)["has_problem"])


def is_final(report: Report | None, revision: int) -> bool:
    """Whether this is the final report of that revision, or of a newer one."""
    return report is not None and not report.provisional and report.revision >= revision


def panel_context(report: Report | None, wait: int | None = None, standing: Standing | None = None) -> dict[str, Any]:
    """What `_panel.html` shows."""
    page = ReportPage(report) if report else None
    return {"report": report, "page": page, "wait": wait, "standing": standing}
