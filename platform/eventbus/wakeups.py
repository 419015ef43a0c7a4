"""Waking workers up after a commit. A wake-up may get lost or come twice: the deliveries in the database count."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid4

from django.db import transaction

from eventbus import messages, metrics, scope
from eventbus.signals import published
from eventbus.statements import ClaimedRow

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claimed:
    """A delivery that was leased as it was published."""

    row: ClaimedRow
    token: UUID


@dataclass(frozen=True)
class Wakeup:
    """Word for a subscriber that there is work."""

    subscriber: str
    hint: int | None = None
    """Id of the delivery that it is about, to be claimed first."""
    claimed: Claimed | None = None
    """What makes it the receiver's own: the worker that publishes a follow-up has claimed its delivery already."""


class FollowUps(list[Wakeup]):
    """What is published and committed while a worker delivers, and is for itself to deliver."""

    def __init__(self) -> None:
        super().__init__()
        self.token = uuid4()
        """Of the leases with which they are stored: one for all, so that they can share a transaction."""


class Breaker:
    """After a failure, lets nothing through for a few seconds: a dead broker costs one request its timeout, not all."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._closed_from = 0.0
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        with self._lock:
            return time.monotonic() < self._closed_from

    def trip(self) -> None:
        with self._lock:
            self._closed_from = time.monotonic() + self.seconds

    def reset(self) -> None:
        with self._lock:
            self._closed_from = 0.0


breaker = Breaker(seconds=5.0)
_follow_ups: ContextVar[FollowUps | None] = ContextVar("follow_ups", default=None)


def connect() -> None:
    """Let published events wake their subscribers."""
    published.connect(wake_after_commit, dispatch_uid="eventbus.wakeups")


def wake_after_commit(wakeups: list[Wakeup], **kwargs: object) -> None:
    """Receiver of `published`: one hook for all subscribers, which a rollback forgets."""
    if wakeups:
        transaction.on_commit(partial(wake, wakeups))


def wake(wakeups: list[Wakeup]) -> None:
    """Hand wake-ups to the worker that is at work in this thread, else to the broker."""
    collected = _follow_ups.get()
    for wakeup in wakeups:
        if collected is not None and scope.delivers_inline(wakeup.subscriber):
            collected.append(wakeup)
        else:
            enqueue(wakeup)


def own_token(subscriber: str) -> UUID | None:
    """The lease token of the worker at work in this thread, where it delivers to the subscriber what it publishes."""
    collected = _follow_ups.get()
    return collected.token if collected is not None and scope.delivers_inline(subscriber) else None


@contextmanager
def collected_follow_ups() -> Iterator[FollowUps]:
    """Collect the wake-ups of what is published and committed inside, instead of enqueueing them."""
    collected = FollowUps()
    token = _follow_ups.set(collected)
    try:
        yield collected
    finally:
        _follow_ups.reset(token)


def enqueue(wakeup: Wakeup) -> bool:
    """Send the subscriber's Celery task. Never raises: what was committed must not look failed; the sweep delivers."""
    if breaker.is_open:
        metrics.count("enqueue_withheld")
        return False
    try:
        messages.outlet.send(wakeup.subscriber, (wakeup.hint,), scope.queue_of(wakeup.subscriber))
    except Exception as error:
        breaker.trip()
        metrics.count("enqueue_failed")
        logger.warning("no wake-up for %s (%s); the sweep delivers", wakeup.subscriber, type(error).__name__)
        return False
    metrics.count("enqueued")
    return True
