"""The record of which person read which report, or which event with its answers, in the administration. Members who
read their own reports are not in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from contracts import MailEvent, OrganisationEvent
from eventbus.signals import payload_read

IDS_ALONE = (MailEvent.TYPE, OrganisationEvent.TYPE)
"""Events in which nobody's answers are."""

if TYPE_CHECKING:
    from accounts.models import User
    from eventbus.models import Event
    from reports.models import Report


class Reading(models.Model):
    """A reviewer or a superuser had a customer's answers before them: those of a report, or of an event.

    Ids alone, so that it says the same after the person is deleted; it goes with its organisation.
    """

    person = models.UUIDField(_("person"))
    report = models.UUIDField(_("report"), null=True, db_index=True)
    event = models.UUIDField(_("event id"), null=True, db_index=True)
    organisation = models.UUIDField(_("organisation"), db_index=True)
    at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("reading")
        verbose_name_plural = _("readings")
        ordering = ("-id",)

    def __str__(self) -> str:
        """What was read, by as much of its id as the administration shows anywhere."""
        what = gettext("Report %s") if self.report else gettext("Event %s")
        return what % str(self.report or self.event)[:8]


def note(person: User, report: Report) -> None:
    """Record that this person reads the report. Comes before the page: what can't be recorded is not shown."""
    Reading.objects.create(person=person.pk, report=report.pk, organisation=report.organisation_id)


def note_event(sender: type[Event], event: Event, person: User, **kwargs: object) -> None:
    """Record that this person reads the event's payload, as `note` does."""
    if event.type in IDS_ALONE:
        return
    Reading.objects.create(person=person.pk, event=event.uuid, organisation=event.organisation)


def connect() -> None:
    """Record what is read of the bus."""
    payload_read.connect(note_event, dispatch_uid="reports.readings")
