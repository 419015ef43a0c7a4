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
from typing import Protocol
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
    """What makes it the receiver's own: its delivery was leased as it was published."""


class FollowUps(list[Wakeup]):
    """What is published and committed while a worker delivers, and is for itself to deliver."""

    def __init__(self) -> None:
        super().__init__()
        self.token = uuid4()
        """Of the leases with which they are stored: one for all, so that they can share a transaction."""


class Neighbour(Protocol):
    """A worker in threads of the process that publishes."""

    def token_for(self, subscriber: str) -> UUID | None:
        """A lease token where it would begin at once with what is published to the subscriber; else None."""
        ...

    def take(self, subscriber: str, claimed: Claimed) -> None:
        """Take what was leased by such a token and is committed now. A wake-up comes after it."""
        ...


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
neighbour: Neighbour | None = None
"""That of this process, where there is one (`eventbus.solo`)."""
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
            if wakeup.claimed is not None and neighbour is not None:
                neighbour.take(wakeup.subscriber, wakeup.claimed)
            enqueue(wakeup)


def own_token(subscriber: str) -> UUID | None:
    """The lease token of the worker that begins with what is published to the subscriber as soon as it is committed:
    the one at work in this thread, or one in this process that waits for work."""
    if not scope.delivers_inline(subscriber):
        return None
    if (collected := _follow_ups.get()) is not None:
        return collected.token
    return neighbour.token_for(subscriber) if neighbour is not None else None


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
