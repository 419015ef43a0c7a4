"""Which request, and which event, the code at hand is working for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from contracts import Event

correlation_id: ContextVar[UUID | None] = ContextVar("correlation_id", default=None)
"""One id from a person's request to the last push. None outside requests and handlers."""
causation_id: ContextVar[UUID | None] = ContextVar("causation_id", default=None)
"""The id of the event that is being handled. None where a person is the cause."""


@contextmanager
def caused_by(event: Event) -> Iterator[None]:
    """Let events that are published inside inherit the correlation of `event` and name it as their cause."""
    correlation, causation = correlation_id.set(event.correlation_id), causation_id.set(event.id)
    try:
        yield
    finally:
        causation_id.reset(causation)
        correlation_id.reset(correlation)
