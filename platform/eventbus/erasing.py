"""Erasing an organisation: its events of all apps, with their deliveries."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_noop as _

from contracts.erasure import Counts, Erasure
from eventbus.models import Delivery, Event, Moment, Status

BATCH = 500


def hold(organisation: UUID) -> None:
    """Skip what was not delivered yet: a handler at work loses its lease, so that its effects and follow-ups roll back.

    Locks the events, so that no replay and no trace adds to them.
    """
    undelivered = Delivery.objects.undelivered().filter(event__organisation=organisation)
    # A handler that finished while the first pass waited for its row may have published a follow-up: look again.
    while undelivered.finish(Status.SKIPPED, "erased"):
        pass
    list(Event.objects.filter(organisation=organisation).select_for_update().order_by("pk").values_list("pk"))


def count(erasure: Erasure) -> Counts:
    """The events and their deliveries."""
    return {
        _("events"): Event.objects.filter(organisation=erasure.organisation).count(),
        _("deliveries"): Delivery.objects.filter(event__organisation=erasure.organisation).count(),
    }


def erase(erasure: Erasure) -> Counts:
    """Delete them, a batch at a time: payloads are large."""
    counts = count(erasure)
    mine = Event.objects.filter(organisation=erasure.organisation).order_by("pk").values_list("pk", flat=True)
    while batch := list(mine[:BATCH]):
        for model in (Moment, Delivery):
            model.objects.filter(event__in=batch).delete()
        Event.objects.filter(pk__in=batch).defer("payload").delete()
    return counts
