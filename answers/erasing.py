"""Erasing an organisation: its submissions, with their answers, and its lines."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from accounts.models import Organisation
from answers.models import Answer, Line, Submission
from contracts.erasure import Counts, Erasure


def hold(organisation: UUID) -> None:
    """Let nobody start, save, submit, rename or delete, in the order in which those lock; raises
    Organisation.DoesNotExist."""
    Organisation.objects.select_for_update().get(pk=organisation)
    list(Submission.objects.filter(organisation=organisation).select_for_update().order_by("pk").values_list("pk"))


def count(erasure: Erasure) -> Counts:
    """The answers, the submissions and the lines."""
    return {name: rows.count() for name, rows in _rows(erasure).items()}


def erase(erasure: Erasure) -> Counts:
    """Delete them."""
    counts = count(erasure)
    for rows in _rows(erasure).values():
        rows.delete()
    return counts


def _rows(erasure: Erasure) -> dict[str, QuerySet[Any]]:
    return {
        _("answers"): Answer.objects.filter(submission__organisation=erasure.organisation),
        _("submissions"): Submission.objects.filter(organisation=erasure.organisation),
        _("lines"): Line.objects.filter(organisation=erasure.organisation),
    }
