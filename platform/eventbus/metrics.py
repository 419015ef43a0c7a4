"""What can be seen from outside: counters of this process, and the state of all deliveries."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from eventbus.pausing import standings

_lock = threading.Lock()
_counters: Counter[str] = Counter()
_deliveries: Counter[tuple[str, str]] = Counter()


def count(name: str, by: int = 1) -> None:
    """Raise a counter; threads may call it at once."""
    with _lock:
        _counters[name] += by


def count_delivery(outcome: str, subscriber: str, by: int = 1) -> None:
    """Raise the counter of an outcome (see `snapshot`), for all subscribers and for this one."""
    with _lock:
        _counters[outcome] += by
        _deliveries[subscriber, outcome] += by


def deliveries() -> dict[tuple[str, str], int]:
    """The deliveries since this process started, by subscriber and outcome."""
    with _lock:
        return dict(_deliveries)


def snapshot() -> dict[str, int]:
    """The counters since this process started.

    published; done, retried, dead, skipped, fenced, cancelled (deliveries by outcome; fenced: its lease was lost, its
    effects were rolled back; cancelled: its replay was); enqueued, enqueue_failed, enqueue_withheld (the breaker was
    open); swept (deliveries that the sweeper found, not a wake-up); sweep_failed; sweeper_stuck (a handler hangs in
    it); on_dead_failed (deliveries that are dead without their subscriber's word); redriven, replayed (deliveries by
    operators); pruned_deliveries, pruned_events; emptied_events (superseded ones that lost their payloads).
    """
    with _lock:
        return dict(_counters)


def reset() -> None:
    """Set all counters to nothing (tests)."""
    with _lock:
        _counters.clear()
        _deliveries.clear()


@dataclass(frozen=True)
class Health:
    """The state of all deliveries, by the database's clock."""

    oldest: timedelta | None
    """The longest `Standing.worrying_age`; None where everything is delivered, or waits for a paused subscriber."""
    ready: int
    leased: int
    overdue: int
    """Leases that ran out: a worker died, or a thread is stuck."""
    dead: int
    oldest_outside: timedelta | None = None
    """The age of what waits longest for somebody who is not ours, for example a mail server."""


def health() -> Health:
    """Ask the database; the queries read undelivered and dead rows only, however many were delivered."""
    found = standings()
    return Health(
        oldest=max((each.worrying_age for each in found if each.worrying_age is not None), default=None),
        ready=sum(each.ready for each in found),
        leased=sum(each.leased for each in found),
        overdue=sum(each.overdue for each in found),
        dead=sum(each.dead for each in found),
        oldest_outside=max((each.oldest for each in found if each.waits_outside and each.oldest), default=None),
    )
