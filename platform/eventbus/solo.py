"""One thread at a time drains a subscriber: for a database that has one writer at a time.

Several threads would only wait for each other there, each with a few deliveries, and each would have to wait for a
turn of its own for every step of them. One thread claims all that is due and handles it together.

Where the worker runs in threads of the process that publishes (`work_here`) and nobody drains, what is published is
leased to it as it is stored. That saves the claim, and with it a commit and a turn to write, before each report.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from uuid import UUID, uuid4

from django.db import connection

from eventbus import scope, wakeups
from eventbus.deliveries import drain
from eventbus.wakeups import Claimed


class Post:
    """Where a subscriber's wake-ups are left while a thread is draining."""

    def __init__(self) -> None:
        self._draining = threading.Lock()
        self._is_woken = threading.Event()
        self._handed = deque[Claimed]()

    @property
    def is_idle(self) -> bool:
        """Whether the next wake-up is answered at once."""
        return not self._draining.locked() and not self._handed

    def hand(self, claimed: Claimed) -> None:
        """Leave what the next thread that drains has leased already."""
        self._handed.append(claimed)

    def answer(self, subscriber: str, hint: int | None) -> None:
        """Drain, or let the thread that is at it look once more. No wake-up gets lost: that thread looks for them
        after it has let go. What it leaves behind where it dies or hangs is the sweeper's, as ever."""
        self._is_woken.set()
        while self._is_woken.is_set() and self._draining.acquire(blocking=False):
            try:
                self._is_woken.clear()
                drain(subscriber, hint, [self._handed.popleft() for _ in range(len(self._handed))])
            finally:
                self._draining.release()
            if scope.stopping.is_set():
                return


_posts: defaultdict[str, Post] = defaultdict(Post)


def answer(subscriber: str, hint: int | None) -> None:
    """Drain for a wake-up, in the way that suits the database."""
    if connection.vendor == "sqlite":
        _posts[subscriber].answer(subscriber, hint)
    else:
        drain(subscriber, hint)


class Neighbour:
    """The worker in threads of this process, for what is published beside it.

    A lease that nobody begins with, because the process ended, is taken up when it starts again (`expire_leases`), or
    when it runs out.
    """

    def token_for(self, subscriber: str) -> UUID | None:
        """A lease token where a thread would begin at once; else None, and what is published waits to be claimed."""
        return uuid4() if _posts[subscriber].is_idle and not scope.stopping.is_set() else None

    def take(self, subscriber: str, claimed: Claimed) -> None:
        """Keep it for the thread that answers the next wake-up."""
        _posts[subscriber].hand(claimed)


def work_here() -> None:
    """This process delivers, alone, what it publishes. Call it where a worker takes tasks in threads of it."""
    wakeups.neighbour = Neighbour()
