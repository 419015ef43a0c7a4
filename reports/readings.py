"""The record of which person read which report in the administration. Members who read their own are not in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import User
    from reports.models import Report


class Reading(models.Model):
    """A reviewer or a superuser had a report's answers and evaluation before them.

    Ids alone, so that it says the same after the person is deleted; it goes with its organisation.
    """

    person = models.UUIDField(_("person"))
    report = models.UUIDField(_("report"), db_index=True)
    organisation = models.UUIDField(_("organisation"), db_index=True)
    at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("reading")
        verbose_name_plural = _("readings")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.person} {self.report}"


def note(person: User, report: Report) -> None:
    """Record that this person reads the report. Comes before the page: what can't be recorded is not shown."""
    Reading.objects.create(person=person.pk, report=report.pk, organisation=report.organisation_id)
