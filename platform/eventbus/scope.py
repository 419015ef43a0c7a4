"""Which subscribers this process delivers to, and whether it is about to end."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from eventbus.subscriptions import registry

DEFAULT_QUEUE = "celery"
"""Celery's own name for the queue of tasks that name none."""

stopping = threading.Event()
"""Set once this process is asked to end: each thread finishes the delivery at hand and gives the others back."""
_queues: frozenset[str] | None = None


def serve(queues: Iterable[str] | None) -> None:
    """Deliver only to subscribers whose wake-ups come by these queues; None: to all.

    The others have workers of their own: neither the sweeper nor a follow-up takes their work away.
    """
    global _queues
    _queues = None if queues is None else frozenset(queues)


def serves(subscriber: str) -> bool:
    """Whether this process delivers to the subscriber."""
    return _queues is None or queue_of(subscriber) in _queues


def delivers_inline(subscriber: str) -> bool:
    """Whether a worker of this process delivers to the subscriber what it has just published itself."""
    return serves(subscriber) and not registry[subscriber].outside


def queue_of(subscriber: str) -> str:
    """The Celery queue of the subscriber's wake-ups."""
    return registry[subscriber].queue or DEFAULT_QUEUE


def served() -> list[str]:
    """The names of the subscribers that this process delivers to, sorted."""
    return sorted(filter(serves, registry))
