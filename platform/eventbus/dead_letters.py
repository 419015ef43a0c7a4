"""Redriving: what was given up on gets another life."""

from __future__ import annotations

from django.db.models import F, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat, Now
from django.utils import timezone

from eventbus import metrics
from eventbus.models import Delivery, Status
from eventbus.subscriptions import registry


def redrivable() -> QuerySet[Delivery]:
    """Dead deliveries that can be handled again: their event was not erased, and this code has their subscriber."""
    return Delivery.objects.filter(
        status=Status.DEAD, event__erased_at__isnull=True, subscriber__in=sorted(registry)
    ).order_by("event_id", "id")


def redrive(dead: QuerySet[Delivery], by: str) -> int:
    """Make the dead ones among these ready again, with all their attempts before them; gives how many.

    They keep their place in the line of their key: newer ones of it that still wait are handled after them. Each keeps
    a note who did it and when, and its last error until the next outcome. The next sweep, within about a second, finds
    them. Erased ones, and those of subscribers that this code does not have, stay dead.
    """
    noted = f"redriven by {by} at {timezone.now().isoformat(' ', 'seconds')} after "
    chosen = redrivable().filter(pk__in=dead.order_by().values("pk")).order_by()
    redriven = Delivery.objects.filter(status=Status.DEAD, pk__in=chosen.values("pk")).update(
        status=Status.READY,
        attempts=0,
        due_at=Now(),
        age_from=Now(),
        finished_at=None,
        note=Concat(
            F("note"), Value(noted), Cast("attempts", TextField()), Value(" attempts\n"), output_field=TextField()
        ),
    )
    if redriven:
        metrics.count("redriven", redriven)
    return redriven
