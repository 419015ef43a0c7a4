"""What was done about an event after its commit, for traces: noted in memory, written by the next sweep.

Work that somebody waits for pays no commit for it. What was noted in the last second before a crash is not written,
nor anything in a process that does not sweep.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from uuid import UUID

from django.db import transaction

from eventbus import statements

MOST = 10_000
"""How many are kept until they are written; beyond it the oldest go."""

_noted: deque[tuple[str, float, UUID]] = deque(maxlen=MOST)


def note(what: str, event: UUID) -> None:
    """Remember that this was done about the event just now. Threads may call it at once; it costs no query."""
    _noted.append((what, time.monotonic(), event))


def forget() -> None:
    """Write none of what was noted (tests)."""
    _noted.clear()


def write() -> None:
    """Write what was noted, in one transaction; nothing was: no query."""
    if _noted:
        with transaction.atomic():
            statements.store_moments(_taken())


def _taken() -> Iterator[tuple[str, float, UUID]]:
    for _ in range(len(_noted)):
        what, at, event = _noted.popleft()
        yield what, time.monotonic() - at, event
