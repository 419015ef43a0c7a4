"""Threads for handlers that call out: a server that keeps them waiting keeps nobody else waiting.

Each process has a few for each such subscriber that it delivers to. Wake-ups and the sweeper only ring: neither a
process of Celery's pool nor the sweeper ever waits for the outside world.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from queue import Full, Queue

from django.db import connections

from eventbus import metrics, scope, stuck
from eventbus.database_errors import reason
from eventbus.deliveries import sweep
from eventbus.subscriptions import Subscription, registry

logger = logging.getLogger(__name__)


class Callers:
    """The threads of one subscriber. Each looks when it is rung, and goes on until nothing is due. No error ends it."""

    def __init__(self, subscription: Subscription) -> None:
        self.name = subscription.name
        self._bell: Queue[None] = Queue(maxsize=subscription.slots)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [self._new_thread() for _ in range(subscription.slots)]

    def ring(self) -> None:
        """Let one thread more look for work; all of them are about to look already: nothing."""
        self._replace_stuck()
        with suppress(Full):
            self._bell.put_nowait(None)

    @property
    def is_alive(self) -> bool:
        """Whether one of its threads runs."""
        return any(thread.is_alive() for thread in self._threads)

    def begin_to_stop(self) -> None:
        """Let each thread end after the delivery at hand."""
        self._stopping.set()
        for _ in self._threads:
            self.ring()

    def wait(self, seconds: float) -> None:
        """Wait until all threads have ended, at most so many seconds."""
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _new_thread(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name=f"calls-{self.name}", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        self._bell.get()
        while not self._stopping.is_set():
            self._work()
            if threading.current_thread() not in self._threads:
                return  # it took so long that another one has its place
            self._bell.get()

    def _work(self) -> None:
        """Deliver until nothing is due. The connection goes with it: threads that wait for a ring need none."""
        try:
            sweep(names=[self.name])
        except Exception as error:
            logger.error("calls for %s can't go on and are tried again: %s", self.name, reason(error))
        finally:
            connections.close_all()

    def _replace_stuck(self) -> None:
        """A call that takes twice its lease keeps its thread, which nobody can end; another one gets the slot."""
        with self._lock:
            for place, thread in enumerate(self._threads):
                if stuck.is_stuck(thread):
                    metrics.count("caller_stuck")
                    logger.error("a call of %s does not end; docs/events.md says what happens now", self.name)
                    self._threads[place] = self._new_thread()


_running: dict[str, Callers] = {}


def start() -> None:
    """Start the threads of every subscriber that calls out and that this process delivers to."""
    for name in scope.served():
        if registry[name].outside:
            _running[name] = Callers(registry[name])


def ring(subscriber: str) -> None:
    """Say that there may be something to do for the subscriber; nothing where this process has no threads for it."""
    if callers := _running.get(subscriber):
        callers.ring()


def stop(seconds: float) -> None:
    """Let every thread end after the call at hand, and wait for that at most so many seconds.

    What is cut off by the end of the process is called again, with the same key, when its lease has run out.
    """
    end = time.monotonic() + seconds
    stopping = [*_running.values()]
    _running.clear()
    for callers in stopping:
        callers.begin_to_stop()
    for callers in stopping:
        callers.wait(max(0.0, end - time.monotonic()))
