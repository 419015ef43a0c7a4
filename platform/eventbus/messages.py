"""Sending Celery messages without what a wake-up has no use for.

`Task.apply_async` takes 0.5 ms here, five times what is left of it: it looks a connection up in a pool, merges options
of the task's and makes a result that nobody reads. The message is the same, and so are Celery's signals.
"""

from __future__ import annotations

import os
import threading
import time

from celery import Celery
from celery.app import app_or_default
from kombu import Connection, Producer
from kombu.utils.uuid import uuid

BROKEN_SECONDS = 0.25
"""A connection that fails sooner had broken while it was idle, and the message is sent by a new one. What takes longer
to fail hangs, and would only hang again."""


class Outlet(threading.local):
    """This thread's connection to the broker."""

    _app: Celery | None = None
    _connection: Connection | None = None
    _producer: Producer | None = None

    def send(self, task: str, arguments: tuple[object, ...], queue: str) -> None:
        """Put the task's message into the queue; raises whatever the broker's client raises."""
        app = app_or_default()
        is_new, started = self._connect(app), time.monotonic()
        message = app.amqp.create_task_message(uuid(), task, arguments, {}, ignore_result=True)
        try:
            app.amqp.send_task_message(self._producer, task, message, queue=queue, retry=False)
        except Exception:
            self.close()
            if is_new or time.monotonic() - started > BROKEN_SECONDS:
                raise
            self._connect(app)
            app.amqp.send_task_message(self._producer, task, message, queue=queue, retry=False)

    def _connect(self, app: Celery) -> bool:
        """Make sure that there is a connection to the app's broker; whether it had to be made."""
        if self._app is app:
            return False
        self.close()
        self._app, self._connection = app, app.connection_for_write()
        self._producer = app.amqp.Producer(self._connection, auto_declare=False)
        return True

    def close(self) -> None:
        """Give the connection up."""
        if self._connection is not None:
            self._connection.release()
        self._app = self._connection = self._producer = None


outlet = Outlet()


def _forget() -> None:
    """A forked process must not write to its parent's connection, nor close it."""
    global outlet
    outlet = Outlet()


os.register_at_fork(after_in_child=_forget)
