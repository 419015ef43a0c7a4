"""One thread at a time drains a subscriber: for a database that has one writer at a time.

Several threads would only wait for each other there, each with a few deliveries, and each would have to wait for a
turn of its own for every step of them. One thread claims all that is due and handles it together.
"""

from __future__ import annotations

import threading
from collections import defaultdict

from django.db import connection

from eventbus import scope
from eventbus.deliveries import drain


class Post:
    """Where a subscriber's wake-ups are left while a thread is draining."""

    def __init__(self) -> None:
        self._draining = threading.Lock()
        self._is_woken = threading.Event()

    def answer(self, subscriber: str, hint: int | None) -> None:
        """Drain, or let the thread that is at it look once more. No wake-up gets lost: that thread looks for them
        after it has let go. What it leaves behind where it dies or hangs is the sweeper's, as ever."""
        self._is_woken.set()
        while self._is_woken.is_set() and self._draining.acquire(blocking=False):
            try:
                self._is_woken.clear()
                drain(subscriber, hint)
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
