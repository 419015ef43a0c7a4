"""What this process has refused, and what it allowed unasked, by the name of the bucket."""

from __future__ import annotations

import threading
from collections import Counter

_lock = threading.Lock()
_refused: Counter[str] = Counter()
_unanswered: Counter[str] = Counter()


def count_refused(bucket: str) -> None:
    """Count a take for which there was not enough."""
    with _lock:
        _refused[bucket] += 1


def count_unanswered(bucket: str) -> None:
    """Count a take that was allowed because Redis was away."""
    with _lock:
        _unanswered[bucket] += 1


def refused() -> dict[str, int]:
    """Takes since this process started for which there was not enough, by bucket."""
    with _lock:
        return dict(_refused)


def unanswered() -> dict[str, int]:
    """Takes since this process started that were allowed because Redis was away, by bucket."""
    with _lock:
        return dict(_unanswered)


def reset() -> None:
    """Set all counters to nothing (tests)."""
    with _lock:
        _refused.clear()
        _unanswered.clear()
