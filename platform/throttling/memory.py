"""Levels in the memory of one process: the embedded mode is one.

Of each key only the moment is kept at which its bucket is full again. What is full needs no memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from throttling.rates import Rate

FEW = 1_000
"""Keys below which nobody looks for those that may go."""


class InMemory:
    """Levels by a clock that nobody sets. Threads may take at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._full_at: dict[str, float] = {}
        self._tidy_at = FEW

    def __len__(self) -> int:
        """How many keys are kept."""
        return len(self._full_at)

    def take(self, key: str, rate: Rate, cost: float, *, forced: bool) -> float:
        """See `throttling.buckets.Store`; never raises Away."""
        with self._lock:
            now = self._clock()
            full_at = max(self._full_at.get(key, now), now) + cost / rate.per_second
            wait = full_at - now - rate.seconds
            if wait > TOLERANCE and not forced:
                return wait
            if cost:
                self._full_at[key] = min(full_at, now + 2 * rate.seconds)
                self._tidy(now)
            return 0.0

    def _tidy(self, now: float) -> None:
        """Forget the full ones. Looked for when there are twice as many keys as were left: cheap on the average."""
        if len(self._full_at) > self._tidy_at:
            self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
            self._tidy_at = max(FEW, 2 * len(self._full_at))


TOLERANCE = 1e-6
"""Seconds by which sums of fractions may be off."""
