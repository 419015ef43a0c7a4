"""Celery's consumer, which a message that it can't use neither ends nor makes talkative.

Left to itself, Celery ends over some of these messages, and writes others into the log with all that is in them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from celery.worker import consumer

logger = logging.getLogger(__name__)

MAX_ID = 64
"""Characters of an id that is written into the log; Celery's own have 36."""
NO_ID = "without an id"


TEXTS = ("group", "root_id", "parent_id", "shadow", "eta", "expires", "lang")


class Unsound(Exception):
    """The message can't be a task; the text says why, without anything of its content."""


class Consumer(consumer.Consumer):
    """Logs the id of a message that is no task of this installation, and drops the message.

    Nothing is lost by that: what had to be woken up for is in the database, and the sweeper finds it.
    """

    connection_errors: tuple[type[Exception], ...]

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        """What is called for each message."""
        receive = super().create_task_handler(*args, **kwargs)

        def receive_anything(message: Any) -> None:
            try:
                _demand_a_task(message)
                receive(message)
            except Unsound as problem:
                self._drop(message, str(problem))
            except self.connection_errors:
                raise
            except Exception as error:
                self._drop(message, type(error).__name__)

        return receive_anything

    def on_unknown_message(self, body: Any, message: Any) -> None:
        """It names no task."""
        self._drop(message, "no task")

    def on_unknown_task(self, body: Any, message: Any, exc: Any) -> None:
        """It names a task that this version does not have."""
        self._drop(message, "unknown task")

    def on_invalid_task(self, body: Any, message: Any, exc: Any) -> None:
        """Its task can't be made of it."""
        self._drop(message, "invalid task")

    def on_decode_error(self, message: Any, exc: Any) -> None:
        """What is in it can't be read."""
        self._drop(message, "unreadable")

    def _drop(self, message: Any, reason: str) -> None:
        logger.error("dropped the message %s: %s", _id_of(message), reason)
        if not message.acknowledged:
            message.reject_log_error(logger, self.connection_errors)


def _demand_a_task(message: Any) -> None:
    """Raise Unsound for what Celery relies on and does not find, here or in a process of its pool."""
    headers = message.headers
    if not isinstance(headers, dict) or not isinstance(headers.get("task"), str):
        raise Unsound("no task")
    texts = all(isinstance(headers.get(name), str | None) for name in TEXTS)
    if not texts or not _is_whole(headers.get("retries")) or not _are_limits(headers.get("timelimit")):
        raise Unsound("headers of a wrong type")
    if _id_of(message) == NO_ID:
        raise Unsound("no id")
    call = message.decode()
    if not isinstance(call, list) or [type(part) for part in call] != [list, dict, dict]:
        raise Unsound("no call")


def _is_whole(value: Any) -> bool:
    return value is None or type(value) is int


def _are_limits(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(each, int | float | None) for each in value))


def _id_of(message: Any) -> str:
    identifier = message.headers.get("id") if isinstance(message.headers, dict) else None
    if isinstance(identifier, str) and len(identifier) <= MAX_ID and identifier.replace("-", "").isalnum():
        return identifier
    return NO_ID
