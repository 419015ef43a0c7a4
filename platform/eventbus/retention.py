"""Retention: what was delivered long ago goes. What is undelivered or dead stays, however old it is.

Rows are looked at in the order of their ids, which is the order of time, up to the first batch that is young enough: no
index is needed for it, so that remembering when to forget costs a delivery nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import BooleanField, Case, Exists, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Now

from eventbus import metrics
from eventbus.models import Delivery, Event, Status

BATCH = 500
FINISHED = (Status.DONE, Status.SKIPPED)


@dataclass
class Pruned:
    """What went."""

    deliveries: int = 0
    events: int = 0
    complete: bool = True
    """False: the time was over, there is more."""


def prune(seconds: float | None = None, progress: Callable[[Pruned], None] = lambda pruned: None) -> Pruned:
    """Delete done and skipped deliveries that ended more than EVENTBUS_KEEP_DELIVERIES days ago, and events older than
    EVENTBUS_KEEP_EVENTS days of which nothing is undelivered or dead. 0 days: kept forever.

    A batch in each transaction; after `seconds` it stops (None: never). Several processes may prune at once.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    pruned = Pruned()
    for days, step in (
        (settings.EVENTBUS_KEEP_DELIVERIES, _prune_deliveries),
        (settings.EVENTBUS_KEEP_EVENTS, _prune_events),
    ):
        position: int | None = 0 if days else None
        while position is not None:
            if deadline is not None and time.monotonic() > deadline:
                pruned.complete = False
                return pruned
            position = step(timedelta(days=days), position, pruned)
            progress(pruned)
    return pruned


def _prune_deliveries(keep: timedelta, position: int, pruned: Pruned) -> int | None:
    """Prune one batch of deliveries; gives the position to go on from, None where the rest is too young."""
    over = Q(status__in=FINISHED, finished_at__lte=Now() - keep)
    batch = _batch(Delivery.objects.order_by("pk"), keep, position, over)
    goes = [pk for pk, _, is_over in batch if is_over]
    if goes:
        gone, _ = Delivery.objects.filter(over, pk__in=goes).delete()
        pruned.deliveries += gone
        metrics.count("pruned_deliveries", gone)
    return _next(batch)


def _prune_events(keep: timedelta, position: int, pruned: Pruned) -> int | None:
    """Prune one batch of events with their finished deliveries."""
    wanted = Exists(Delivery.objects.filter(event=OuterRef("pk")).exclude(status__in=FINISHED))
    with transaction.atomic():
        # Locked, so that nobody replays what goes; those that another process prunes are left to it.
        rows = Event.objects.order_by("pk").select_for_update(of=("self",), skip_locked=True)
        batch = _batch(rows, keep, position, ~wanted & Q(created_at__lte=Now() - keep))
        goes = [pk for pk, _, is_over in batch if is_over]
        if goes:
            finished, _ = Delivery.objects.filter(event__in=goes, status__in=FINISHED).delete()
            _total, by_model = Event.objects.filter(~wanted, pk__in=goes).delete()
            gone = by_model.get(Event._meta.label, 0)
            pruned.deliveries += finished
            pruned.events += gone
            metrics.count("pruned_deliveries", finished)
            metrics.count("pruned_events", gone)
    return _next(batch)


def _batch(rows: QuerySet[Delivery] | QuerySet[Event], keep: timedelta, position: int, over: Q) -> list[_Row]:
    """The next rows by id, each with whether it is old, and whether it is over."""
    return list(
        rows.filter(pk__gt=position)
        .annotate(old=_whether(Q(created_at__lte=Now() - keep)), over=_whether(over))
        .values_list("pk", "old", "over")[:BATCH]
    )


_Row = tuple[int, bool, bool]


def _whether(condition: Q) -> Case:
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())


def _next(batch: list[_Row]) -> int | None:
    """Where the next batch begins; None where this one has met rows that are too young, or the end."""
    return batch[-1][0] if len(batch) == BATCH and batch[-1][1] else None


class Pruner:
    """Prunes now and then, a little at a time: part of the sweeper's thread."""

    def __init__(self, every: float = 300.0, seconds: float = 0.5) -> None:
        self.every = every
        """Seconds between two rounds; the first comes that long after the start."""
        self.seconds = seconds
        """The longest time that a sweep may be held up; what is left goes at the next one."""
        self._next = time.monotonic() + every

    def prune_if_due(self) -> Pruned | None:
        """Prune where it is time, else give None."""
        if time.monotonic() < self._next:
            return None
        pruned = prune(self.seconds)
        if pruned.complete:
            self._next = time.monotonic() + self.every
        return pruned
