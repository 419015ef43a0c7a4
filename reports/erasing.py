"""Erasing an organisation: its reports, final ones too, with all that is about them.

A final report is never changed or deleted, except here: nothing else may call `_raw_delete` (a test reads the source).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from contracts.erasure import Counts, Erasure
from reports.models import Feed, Problem, Report
from reports.readings import Reading


def hold(organisation: UUID) -> None:
    """Wait for a report that is being stored, and let no other be: as for storing, it comes before all other locks."""
    Feed.objects.advance(organisation)


def count(erasure: Erasure) -> Counts:
    """The reports, the evaluations that failed, and who read which report or event."""
    reports = Report.objects.filter(organisation=erasure.organisation)
    return {_("reports"): reports.count()} | {name: rows.count() for name, rows in _about(erasure).items()}


def erase(erasure: Erasure) -> Counts:
    """Delete them."""
    counts = count(erasure)
    for rows in _about(erasure).values():
        rows.delete()
    Feed.objects.filter(pk=erasure.organisation).delete()
    reports = Report.objects.filter(organisation=erasure.organisation)
    reports._raw_delete(reports.db)
    return counts


def _about(erasure: Erasure) -> dict[str, QuerySet[Any]]:
    return {
        _("failed evaluations"): Problem.objects.filter(organisation=erasure.organisation),
        _("records of readings"): Reading.objects.filter(organisation=erasure.organisation),
    }
