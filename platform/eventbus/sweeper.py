"""The thread that delivers what nobody was woken up for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from django.db import DatabaseError, close_old_connections, connections
from django.db.models.functions import Now

from eventbus import callers, metrics, moments, stuck
from eventbus.database_errors import reason
from eventbus.deliveries import sweep
from eventbus.models import Delivery
from eventbus.replays import carry_on
from eventbus.retention import Pruner
from eventbus.signals import swept
from eventbus.superseded import Emptier

logger = logging.getLogger(__name__)

REPLAY_SECONDS = 0.5
"""The longest time that making or cancelling replays may hold up the next sweep."""


def expire_leases() -> int:
    """Let every lease end now; gives how many there were.

    Only for a start that knows that no other worker lives on this database (the embedded mode holds a lock on its
    folder): what a killed process had at work is then taken up at once instead of when its leases run out.
    """
    return Delivery.objects.filter(lease_token__isnull=False).update(leased_until=Now())


class Sweeper:
    """Sweeps at once and then every `interval` seconds, in a daemon thread, until stopped. No error ends it.

    A handler that hangs does not end it either: Celery's time limits hold for tasks alone, and by and by the sweepers
    of all processes would hang in the same event. Once a delivery has taken twice its lease, `on_stuck` is called where
    the process can be spared, and otherwise another thread goes on with the sweeping.
    """

    def __init__(self, interval: float = 1.0, on_stuck: Callable[[], None] | None = None) -> None:
        self.interval = interval
        self._grace = 0.0  # at the start nobody has been woken up for what lies there
        self._on_stuck = on_stuck or self._replace_thread
        self._pruner = Pruner()
        self._emptier = Emptier()
        self._stopping = threading.Event()
        self._thread = self._new_thread()
        self._watch = threading.Thread(target=self._keep_watch, name="eventbus-sweeper-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._watch.start()

    def stop(self, timeout: float | None = 5.0) -> None:
        """Ask it to end and wait for the delivery at hand, at most `timeout` seconds."""
        self._stopping.set()
        self._thread.join(timeout)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _new_thread(self) -> threading.Thread:
        return threading.Thread(target=self._run, name="eventbus-sweeper", daemon=True)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set() and self._thread is threading.current_thread():
                self.sweep_once()
                self._stopping.wait(self.interval)
        finally:
            with suppress(DatabaseError):
                moments.write()
            connections.close_all()

    def _keep_watch(self) -> None:
        while not self._stopping.wait(self.interval):
            if stuck.is_stuck(self._thread):
                metrics.count("sweeper_stuck")
                logger.error("the sweeper is stuck in a handler; docs/events.md says what happens now")
                self._on_stuck()

    def _replace_thread(self) -> None:
        """Let another thread sweep. The old one ends when its handler does; its lease has run out long before."""
        self._thread = self._new_thread()
        self._thread.start()

    def sweep_once(self) -> None:
        """Sweep, now and then prune and empty, go on with replays; an error is counted and logged, with no text that
        may quote values."""
        try:
            close_old_connections()
            metrics.count("swept", sweep(self._grace, aside=callers.ring))
            self._grace = self.interval
            moments.write()
            swept.send(sender=type(self))
            self._pruner.prune_if_due()
            self._emptier.empty_if_due()
            carry_on(REPLAY_SECONDS)
        except Exception as error:
            metrics.count("sweep_failed")
            logger.error("the sweep failed and is tried again: %s", reason(error))
        finally:
            close_old_connections()
