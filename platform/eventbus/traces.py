"""Tracing: everything that came of one request, in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.utils.functional import Promise

from eventbus.models import Delivery, Event

LONGEST = 200
"""How many events a trace shows at most; it says so where there are more."""

_meanings: dict[tuple[str, str], str | Promise] = {}


def explain(event_type: str, source: str, meaning: str | Promise) -> None:
    """Say, for traces, what it means for a person that an event of this type and source was published."""
    _meanings[event_type, source] = meaning


@dataclass(frozen=True, kw_only=True)
class Step:
    """An event that was published, or one subscriber's delivery of it. Times are the database's."""

    kind: Literal["event", "delivery"]
    pk: int
    title: str
    """The type and source of an event, the name of a subscriber."""
    meaning: str | Promise = ""
    status: str = ""
    """A delivery's; empty for an event, "erased" where it was."""
    attempts: int = 0
    generation: int = 0
    error: str = ""
    note: str = ""
    starts: timedelta
    """When it was published, or made, counted from the first event."""
    waited: timedelta | None = None
    """From falling due to the last claim; None where it was not claimed."""
    worked: timedelta | None = None
    """From the last claim to the end; None where it has not ended, or ended unclaimed."""
    ends: timedelta | None = None
    """When it ended, counted from the first event; None where it has not, and for events."""
    claimed: timedelta | None = None
    """The last claim, counted from the first event."""


@dataclass(frozen=True)
class Trace:
    """All steps of one correlation id."""

    correlation_id: UUID
    begins: datetime
    lasts: timedelta
    """From the first event to the last end."""
    steps: list[Step]
    cut: bool
    """Whether there are more events than are shown."""


def trace(correlation_id: UUID) -> Trace | None:
    """Everything that carries the id; None where there is nothing (never was, or pruned)."""
    events = list(Event.objects.filter(correlation_id=correlation_id).defer("payload").order_by("pk")[: LONGEST + 1])
    if not events:
        return None
    cut = len(events) > LONGEST
    events = events[:LONGEST]
    begins = events[0].created_at
    deliveries: dict[int, list[Delivery]] = {}
    for delivery in Delivery.objects.filter(event__in=[event.pk for event in events]).order_by("pk"):
        deliveries.setdefault(delivery.event_id, []).append(delivery)
    steps = []
    for event in events:
        steps.append(_event_step(event, begins))
        steps += [_delivery_step(delivery, begins) for delivery in deliveries.get(event.pk, [])]
    lasts = max(step.ends or step.claimed or step.starts for step in steps)
    return Trace(correlation_id, begins, lasts, steps, cut)


def _event_step(event: Event, begins: datetime) -> Step:
    return Step(
        kind="event",
        pk=event.pk,
        title=f"{event.type} /{event.source}",
        meaning=_meanings.get((event.type, event.source), ""),
        status="erased" if event.erased_at else "",
        starts=event.created_at - begins,
    )


def _delivery_step(delivery: Delivery, begins: datetime) -> Step:
    claimed, finished = delivery.claimed_at, delivery.finished_at
    due = max(delivery.due_at, delivery.created_at)
    return Step(
        kind="delivery",
        pk=delivery.pk,
        title=delivery.subscriber,
        status=delivery.status,
        attempts=delivery.attempts,
        generation=delivery.generation,
        error=delivery.last_error,
        note=delivery.note,
        starts=delivery.created_at - begins,
        waited=max(claimed - due, timedelta(0)) if claimed else None,
        worked=finished - claimed if claimed and finished and finished >= claimed else None,
        ends=finished - begins if finished else None,
        claimed=claimed - begins if claimed else None,
    )


def milliseconds(span: timedelta | None) -> str:
    """A span as people read it: "12.3 ms", "4.50 s"; nothing for None."""
    if span is None:
        return ""
    seconds = span.total_seconds()
    return f"{seconds * 1000:.1f} ms" if abs(seconds) < 1 else f"{seconds:,.2f} s"
