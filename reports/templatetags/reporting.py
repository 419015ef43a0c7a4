"""Numbers of reports in templates, and the pieces of a report that other apps show."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import template
from django.template.context import RequestContext

from reports.models import Report
from reports.numbers import show, show_score, show_signed
from reports.presentation import ReportPage

register = template.Library()
register.filter("score", show_score)
register.filter("points", show)
register.filter("signed", show_signed)


@register.filter
def coordinate(number: Any) -> str:
    """A number for an SVG attribute: with a point, whatever the reader's language."""
    return f"{float(number or 0):g}"


@register.inclusion_tag("reports/_live_panel.html", takes_context=True)
def evaluation_panel(
    context: RequestContext, submission: UUID, wait: int | None = None, due: int | None = None
) -> dict[str, Any]:
    """The evaluation so far, kept up to date by live.js.

    With `wait`, a revision: says that the report is being made, and goes to it as soon as that revision is final.
    With `due`, a revision, too, unless it is final already.
    """
    report = newest_report(context["request"].user, submission)
    if due is not None and not (report and not report.provisional and report.revision >= due):
        wait = due
    return {**panel_context(report), "submission": submission, "wait": wait, "request": context["request"]}


@register.inclusion_tag("reports/_link.html", takes_context=True)
def evaluation_link(context: RequestContext, submission: UUID) -> dict[str, Any]:
    """A link to the submission's newest report, or nothing."""
    return {"report": newest_report(context["request"].user, submission)}


def newest_report(user: Any, submission: UUID) -> Report | None:
    """The report of the submission's latest answers, where this person may read it."""
    found = Report.objects.visible_to(user).filter(submission=submission)
    return found.order_by("-revision", "-position").first()


def panel_context(report: Report | None) -> dict[str, Any]:
    """What `_panel.html` shows."""
    return {"report": report, "page": ReportPage(report) if report else None}
