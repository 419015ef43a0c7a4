"""The thread that delivers what nobody was woken up for."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress

from django.db import DatabaseError, close_old_connections, connections
from django.db.models.functions import Now

from eventbus import metrics, moments
from eventbus.deliveries import sweep
from eventbus.models import Delivery
from eventbus.retention import Pruner
from eventbus.signals import swept

logger = logging.getLogger(__name__)


def expire_leases() -> int:
    """Let every lease end now; gives how many there were.

    Only for a start that knows that no other worker lives on this database (the embedded mode holds a lock on its
    folder): what a killed process had at work is then taken up at once instead of when its leases run out.
    """
    return Delivery.objects.filter(lease_token__isnull=False).update(leased_until=Now())


class Sweeper:
    """Sweeps at once and then every `interval` seconds, in a daemon thread, until stopped. No error ends it."""

    def __init__(self, interval: float = 1.0) -> None:
        self.interval = interval
        self._pruner = Pruner()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="eventbus-sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float | None = 5.0) -> None:
        """Ask it to end and wait for the delivery at hand, at most `timeout` seconds."""
        self._stopping.set()
        self._thread.join(timeout)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self.sweep_once()
                self._stopping.wait(self.interval)
        finally:
            with suppress(DatabaseError):
                moments.write()
            connections.close_all()

    def sweep_once(self) -> None:
        """Sweep, now and then prune; an error is counted and logged by its kind, for its text may quote values."""
        try:
            close_old_connections()
            metrics.count("swept", sweep())
            moments.write()
            swept.send(sender=type(self))
            self._pruner.prune_if_due()
        except Exception as error:
            metrics.count("sweep_failed")
            logger.error("the sweep failed and is tried again: %s", type(error).__name__)
        finally:
            close_old_connections()
