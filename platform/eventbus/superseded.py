"""What newer events made pointless is emptied: a draft's payload holds all of its answers, and each save stores three.

An event that gives way to newer ones loses its payload once a newer one of its line (key, type and source) is stored
and nothing of its own is undelivered or dead. Its row stays, for traces. The newest of a line always keeps its payload.

The lines are read from an index of what has a payload, in its order, so that the newest of each is the last of it; no
delivery and no save does anything for it.
"""

from __future__ import annotations

import time
from itertools import pairwise
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from eventbus import metrics
from eventbus.models import Delivery, Event, Status

PAGE = 500
"""Events that are looked at by one statement."""
BATCH = 50
"""Events that one transaction empties: SQLite keeps all other writers waiting for it, some milliseconds."""

# The index event_contents_idx, in whose condition this is; its order is the database's own, so that it also compares.
_NEXT = """
    SELECT key, type, source, id, supersedable FROM eventbus_event
    WHERE emptied_at IS NULL AND erased_at IS NULL AND (key, type, source, id) > (%s, %s, %s, %s)
    ORDER BY key, type, source, id LIMIT %s
"""


class _Row(NamedTuple):
    key: str
    type: str
    source: str
    id: int
    supersedable: bool

    @property
    def line(self) -> tuple[str, str, str]:
        return self.key, self.type, self.source


_Position = tuple[str, str, str, int]
BEGIN: _Position = ("", "", "", 0)


class Emptier:
    """Empties now and then, a little at a time: part of the sweeper's thread. Several processes may do so at once."""

    def __init__(self, every: float = 10.0, seconds: float = 0.2) -> None:
        self.every = every
        """Seconds between two turns; the first comes that long after the start."""
        self.seconds = seconds
        """The longest time that a turn may take: under a rush of saves it falls behind, and catches up afterwards."""
        self._next = time.monotonic() + every
        self._position = BEGIN

    def empty_if_due(self) -> int | None:
        """Go on with emptying where it is time, and give how many were emptied; else give None."""
        if time.monotonic() < self._next:
            return None
        deadline, emptied = time.monotonic() + self.seconds, 0
        while True:
            rows = _next_rows(self._position)
            emptied += _empty(_superseded(rows))
            self._position = _where_to_go_on(rows)
            if self._position == BEGIN or time.monotonic() > deadline:
                break
        self._next = time.monotonic() + self.every
        return emptied


def empty_all() -> int:
    """Empty everything that was superseded; gives how many. For tests, benches and operators who can't wait."""
    emptied, position = 0, BEGIN
    while True:
        rows = _next_rows(position)
        emptied += _empty(_superseded(rows))
        position = _where_to_go_on(rows)
        if position == BEGIN:
            return emptied


def _next_rows(position: _Position) -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, (*position, PAGE))
        return [_Row(*row) for row in cursor.fetchall()]


def _superseded(rows: list[_Row]) -> list[int]:
    """Those that give way to the one after them. The last row's next one is not known yet."""
    return [row.id for row, after in pairwise(rows) if row.supersedable and row.line == after.line]


def _where_to_go_on(rows: list[_Row]) -> _Position:
    """Before the last row, of which nothing was decided; at the begin where there are no more."""
    return rows[-2][:4] if len(rows) == PAGE else BEGIN


def _empty(events: list[int]) -> int:
    return sum(_empty_batch(events[first : first + BATCH]) for first in range(0, len(events), BATCH))


def _empty_batch(events: list[int]) -> int:
    wanted = Delivery.objects.filter(event=OuterRef("pk")).exclude(status__in=(Status.DONE, Status.SKIPPED))
    with transaction.atomic():
        # Locked, so that no replay makes a delivery of one in between; what another process empties is left to it.
        rows = Event.objects.select_for_update(of=("self",), skip_locked=True).filter(pk__in=events)
        locked = list(rows.filter(emptied_at__isnull=True, erased_at__isnull=True).values_list("pk", flat=True))
        emptied = Event.objects.filter(~Exists(wanted), pk__in=locked).update(payload={}, emptied_at=Now())
    metrics.count("emptied_events", emptied)
    return emptied
