"""A Celery worker in threads of this process, for the embedded mode."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from celery import Celery
from celery.concurrency.thread import TaskPool
from celery.worker import WorkController, state

from config.embedded.broker import Transport
from config.embedded.database.line import stay_in_the_background


class WorkerError(RuntimeError):
    """The worker did not start."""


class Pool(TaskPool):
    """Celery's pool of threads. Each knows whose tasks it runs, and lets people go first to the database."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.executor = ThreadPoolExecutor(self.limit, thread_name_prefix="worker", initializer=self._begin)

    def _begin(self) -> None:
        self.app.set_current()
        stay_in_the_background()


class EmbeddedWorker:
    """Runs an app's tasks in a few threads. One at a time in a process: Celery keeps its stop flag in a module."""

    running: EmbeddedWorker | None = None
    """The worker of this process, while there is one."""

    def __init__(self, app: Celery, threads: int = 4) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker-consumer", daemon=True)
        self._controller = WorkController(
            app=app,
            pool_cls=Pool,
            concurrency=threads,
            ready_callback=lambda _consumer: self._ready.set(),
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
        )

    @property
    def is_alive(self) -> bool:
        """Whether it takes tasks."""
        return self._ready.is_set() and self._thread.is_alive()

    @classmethod
    def takes_tasks(cls) -> bool | None:
        """Whether the worker of this process does; None where there is none."""
        return None if cls.running is None else cls.running.is_alive

    def start(self, timeout: float = 10.0) -> None:
        """Start and wait until tasks are taken; raises WorkerError when that does not come about."""
        Transport.stopping.clear()
        self._thread.start()
        if not self._ready.wait(timeout) or not self._thread.is_alive():
            raise WorkerError("the embedded worker did not start; the log above says why")
        EmbeddedWorker.running = self

    def stop(self, timeout: float = 5.0) -> bool:
        """Take no more tasks and let the running ones finish; False when one of them is not done in time."""
        EmbeddedWorker.running = None
        state.should_stop = 0  # type: ignore[assignment]  # an exit code; the stubs know None alone
        Transport.interrupt()
        self._thread.join(timeout)
        state.should_stop = None
        return not self._thread.is_alive()

    def _run(self) -> None:
        self._controller.start()
