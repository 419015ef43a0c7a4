"""What `celery -A config worker` does besides tasks: it sweeps, keeps connections usable, and ends in order."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from billiard.process import current_process
from celery import signals
from celery.concurrency import prefork
from django.db import close_old_connections

from eventbus import callers, scope
from eventbus.sweeper import Sweeper

FINISH_SECONDS = 20.0
"""How long a process that is asked to end waits for what its sweeper is delivering, and for its calls."""

_sweeper: Sweeper | None = None


def connect() -> None:
    """Let the command's worker prepare itself. The embedded worker is none of these: it sends no such signal."""
    signals.celeryd_after_setup.connect(_serve_its_queues, dispatch_uid="config.worker")
    signals.worker_process_init.connect(_start_sweeper, dispatch_uid="config.worker")
    signals.worker_ready.connect(_start_sweeper_of_threads, dispatch_uid="config.worker")
    signals.worker_shutting_down.connect(_begin_to_end, dispatch_uid="config.worker")
    signals.worker_process_shutdown.connect(_stop_sweeper, dispatch_uid="config.worker")
    signals.worker_shutdown.connect(_stop_sweeper, dispatch_uid="config.worker")


def _serve_its_queues(instance: Any, **kwargs: Any) -> None:
    """The queues that the worker was told to take decide whose deliveries it sweeps and follows up."""
    scope.serve(instance.app.amqp.queues.consume_from)
    signals.task_prerun.connect(_drop_broken_connections, dispatch_uid="config.worker")


def _drop_broken_connections(**kwargs: Any) -> None:
    """Celery keeps connections (CELERY_DB_REUSE_MAX) without looking: after a restart of PostgreSQL each would stay
    broken. One that had no error costs nothing here."""
    close_old_connections()


def _start_sweeper(**kwargs: Any) -> None:
    """In each process of the pool, since a process that is stuck in a task must not keep the others from sweeping."""
    global _sweeper
    callers.start()
    _sweeper = Sweeper(on_stuck=_end_process if _is_replaceable() else None)
    _sweeper.start()


def _is_replaceable() -> bool:
    """Whether this is a process of a pool, which starts a new one when it ends."""
    return current_process().name != "MainProcess"


def _end_process() -> None:
    """As Celery does to a task that takes too long: only so do the locks go that a stuck handler holds."""
    os.kill(os.getpid(), signal.SIGKILL)


def _start_sweeper_of_threads(sender: Any, **kwargs: Any) -> None:
    """Pools without processes: one sweeper beside their threads. (`solo` counts as a process of its own.)"""
    if _sweeper is None and not isinstance(sender.pool, prefork.TaskPool):
        _start_sweeper()


def _begin_to_end(**kwargs: Any) -> None:
    scope.stopping.set()


def _stop_sweeper(**kwargs: Any) -> None:
    scope.stopping.set()
    end = time.monotonic() + FINISH_SECONDS
    if _sweeper is not None:
        _sweeper.stop(FINISH_SECONDS)
    callers.stop(end - time.monotonic())
