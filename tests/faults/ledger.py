"""What was acknowledged: the truth that everything else is held to."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Acknowledged:
    """A save or a submit that the product said yes to."""

    submission: UUID
    revision: int
    answers: dict[str, Any]
    """All answers of the submission at that revision, by question."""
    final: bool
    """It was submitted."""


class Ledger:
    """Collects from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[Acknowledged] = []
        self._newest: dict[UUID, Acknowledged] = {}
        self._finals: dict[tuple[UUID, int], Acknowledged] = {}
        self.refused = 0
        """Requests that got no answer, or an error of the server; each was sent again until it was acknowledged."""
        self.slowest = 0.0
        """Seconds of the slowest answer, good or bad."""

    def note(self, fact: Acknowledged) -> None:
        """Keep one."""
        with self._lock:
            self._all.append(fact)
            known = self._newest.get(fact.submission)
            if known is None or fact.revision >= known.revision:
                self._newest[fact.submission] = fact
            if fact.final:
                self._finals[fact.submission, fact.revision] = fact

    def answered(self, started: float, *, well: bool) -> None:
        """Count a request that was sent at `started` (monotonic)."""
        with self._lock:
            self.slowest = max(self.slowest, time.monotonic() - started)
            self.refused += not well

    def __len__(self) -> int:
        with self._lock:
            return len(self._all)

    def newest(self) -> dict[UUID, Acknowledged]:
        """The last one of each submission."""
        with self._lock:
            return dict(self._newest)

    def finals(self) -> dict[tuple[UUID, int], Acknowledged]:
        """Everything that was submitted, by submission and revision."""
        with self._lock:
            return dict(self._finals)
