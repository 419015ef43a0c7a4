"""Processes show that they are alive, and of which version: each writes one small row every few seconds, by the
database's clock, and looks of which versions the others are.

The sweeper is what has to be alive in a worker for nothing to get stuck, so its sweeps are the beat. Web processes have
a thread for it. The children of a prefork worker that do not sweep write what they have counted after their tasks.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from datetime import timedelta
from functools import cache
from typing import Any

from celery.signals import task_postrun, worker_process_shutdown
from django.db import DatabaseError, Error, close_old_connections, connections, router, transaction
from django.db.models.functions import Now

from eventbus import metrics
from eventbus.signals import operated, swept
from operations import VERSION, full_disk, versions
from operations.models import WorkerProcess

INTERVAL = 5.0
"""Seconds between two beats of a process."""
FORGET_AFTER = timedelta(hours=1)
"""How long the row of a process that has ended stays."""


class Pulse:
    """When this process has to write its row again. Threads may ask at once; one of them is told to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due = 0.0
        self.sweeper: int | None = None
        """The process whose sweeps beat: what its tasks do proves nothing about its sweeper."""

    def take(self) -> bool:
        """Whether the caller is the one to write it now."""
        with self._lock:
            now = time.monotonic()
            if now < self._due:
                return False
            self._due = now + INTERVAL
            return True

    def reset(self) -> None:
        """Let the next beat be due at once."""
        with self._lock:
            self._due = 0.0


pulse = Pulse()


def name_of_process() -> str:
    """Which process this is, on which machine; with a mark of its own, for machines that are copies of one another have
    the same names, and containers the same numbers."""
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{_mark(pid)}"


@cache
def _mark(pid: int) -> str:
    """By the process's number, so that a process that is forked makes another."""
    return secrets.token_hex(4)


def connect() -> None:
    """Let sweeps and tasks beat."""
    swept.connect(_after_sweep, dispatch_uid="operations.heartbeat")
    operated.connect(_at_the_end, dispatch_uid="operations.heartbeat")
    task_postrun.connect(_after_task, dispatch_uid="operations.heartbeat", weak=False)
    worker_process_shutdown.connect(_at_the_end, dispatch_uid="operations.heartbeat", weak=False)


def _after_sweep(**kwargs: Any) -> None:
    pulse.sweeper = os.getpid()
    if pulse.take():
        beat(sweeps=True)
        versions.look()


def _after_task(**kwargs: Any) -> None:
    if pulse.sweeper != os.getpid() and pulse.take():
        _tell_counters()


def _at_the_end(**kwargs: Any) -> None:
    """A child of a worker, or a command, ends: its last counts must not be lost."""
    _tell_counters()


def _tell_counters() -> None:
    """Write what was counted; a database that is away costs nothing but these figures, until the next beat."""
    if connections[router.db_for_write(WorkerProcess)].in_atomic_block:
        return
    try:
        beat(sweeps=False)
    except DatabaseError:
        pulse.reset()


def beat(*, sweeps: bool) -> None:
    """Write this process's row, and forget those of processes that ended long ago. Raises DatabaseError."""
    deliveries = [[subscriber, outcome, n] for (subscriber, outcome), n in sorted(metrics.deliveries().items())]
    row = WorkerProcess(
        name=name_of_process(),
        sweeps=sweeps,
        counters=metrics.snapshot(),
        deliveries=deliveries,
        version=VERSION,
        beaten_at=Now(),
    )
    told = ["counters", "deliveries", "version", "beaten_at", *(["sweeps"] if sweeps else [])]
    with transaction.atomic():
        WorkerProcess.objects.bulk_create([row], update_conflicts=True, unique_fields=["name"], update_fields=told)
        WorkerProcess.objects.filter(beaten_at__lt=Now() - FORGET_AFTER).delete()


class WebHeart:
    """Beats for a web process of the production mode, which sweeps nothing: in a daemon thread, at once and then every
    `interval` seconds, until stopped.

    A database that is away is asked again at the next beat: until then nothing is known of the others' versions that
    was not known before.
    """

    def __init__(self, interval: float = INTERVAL) -> None:
        self._interval = interval
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float | None = 5.0) -> None:
        """Ask it to end, and wait for the beat at hand."""
        self._stopping.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            while True:
                try:
                    beat(sweeps=False)
                    versions.look()
                except Error as error:
                    full_disk.note(error)
                close_old_connections()
                if self._stopping.wait(self._interval):
                    break
        finally:
            connections.close_all()
