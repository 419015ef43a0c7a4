"""Which request, and which event, the code at hand is working for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from contracts import Event

correlation_id: ContextVar[UUID | None] = ContextVar("correlation_id", default=None)
"""One id from a person's request to the last push. None outside requests and handlers."""
causation_id: ContextVar[UUID | None] = ContextVar("causation_id", default=None)
"""The id of the event that is being handled. None where a person is the cause."""
calling_out: ContextVar[bool] = ContextVar("calling_out", default=False)
"""Whether a handler that calls out is being called: it has no transaction, and may wait for the outside world."""
request_arrived: ContextVar[float | None] = ContextVar("request_arrived", default=None)
"""When the server got the request at hand, by this process's monotonic clock. None outside requests."""


def since_request() -> float | None:
    """Seconds since the arrival of the request that the code at hand works for; None in handlers, and without one."""
    arrived = request_arrived.get()
    return None if arrived is None or causation_id.get() else time.monotonic() - arrived


@contextmanager
def caused_by(event: Event) -> Iterator[None]:
    """Let events that are published inside inherit the correlation of `event` and name it as their cause."""
    correlation, causation = correlation_id.set(event.correlation_id), causation_id.set(event.id)
    try:
        yield
    finally:
        causation_id.reset(causation)
        correlation_id.reset(correlation)


@contextmanager
def outside() -> Iterator[None]:
    """Let the code inside wait for the outside world."""
    token = calling_out.set(True)
    try:
        yield
    finally:
        calling_out.reset(token)
