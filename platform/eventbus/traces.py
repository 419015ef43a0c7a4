"""Tracing: everything that came of one request, in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from eventbus.models import Delivery, Event, Moment

LONGEST = 200
"""How many events a trace shows at most; it says so where there are more."""

_meanings: dict[tuple[str, str], str | Promise] = {}
_moments: dict[str, tuple[str | Promise, str | Promise]] = {}


def explain(event_type: str, source: str, meaning: str | Promise) -> None:
    """Say, for traces, what it means for a person that an event of this type and source was published."""
    _meanings[event_type, source] = meaning


def explain_moment(what: str, title: str | Promise, meaning: str | Promise) -> None:
    """Say, for traces, what a moment is called that was noted with `moments.note`, and what its time means."""
    _moments[what] = title, meaning


@dataclass(frozen=True, kw_only=True)
class Step:
    """A request that arrived, an event that was published, one subscriber's delivery of it, or a moment that was noted
    about it. Times are the database's."""

    kind: Literal["request", "event", "delivery", "moment"]
    pk: int = 0
    """Of the event or the delivery."""
    title: str | Promise
    """The type and source of an event, the name of a subscriber, what a moment is."""
    meaning: str | Promise = ""
    status: str = ""
    """A delivery's; empty for an event, "erased" or "superseded" where its contents were removed."""
    attempts: int = 0
    generation: int = 0
    error: str = ""
    note: str = ""
    starts: timedelta
    """When it arrived, was published or made, or was noted, counted from the begin of the trace."""
    waited: timedelta | None = None
    """From falling due to the last claim; None where it was not claimed."""
    worked: timedelta | None = None
    """From the last claim to the end; None where it has not ended, or ended unclaimed."""
    ends: timedelta | None = None
    """When it ended, counted from the begin; None where it has not, and for what takes no time."""
    claimed: timedelta | None = None
    """The last claim, counted from the begin."""


@dataclass(frozen=True)
class Trace:
    """All steps of one correlation id."""

    correlation_id: UUID
    begins: datetime
    """The arrival of the first request, or the first event where none is known."""
    lasts: timedelta
    """From there to the last step."""
    steps: list[Step]
    cut: bool
    """Whether there are more events than are shown."""


def trace(correlation_id: UUID, among: QuerySet[Event] | None = None) -> Trace | None:
    """Everything that carries the id, of these events (None: of all); None where there is nothing (never was, or
    pruned)."""
    seen = Event.objects.all() if among is None else among
    events = list(seen.filter(correlation_id=correlation_id).defer("payload").order_by("pk")[: LONGEST + 1])
    if not events:
        return None
    cut = len(events) > LONGEST
    events = events[:LONGEST]
    begins = min(events[0].requested_at or events[0].created_at, events[0].created_at)
    positions = [event.pk for event in events]
    about: dict[int, list[Step]] = {position: [] for position in positions}
    for delivery in Delivery.objects.filter(event__in=positions).order_by("pk"):
        about[delivery.event_id].append(_delivery_step(delivery, begins))
    for moment in Moment.objects.filter(event__in=positions).order_by("pk"):
        about[moment.event_id].append(_moment_step(moment, begins))
    steps: list[Step] = []
    previous: datetime | None = None
    for event in events:
        # One request may publish several events: what arrived before the last of them is the same request.
        if event.requested_at and (previous is None or event.requested_at > previous):
            steps.append(Step(kind="request", title=_("Request arrived"), starts=event.requested_at - begins))
        previous = event.created_at if event.requested_at else previous
        steps += [_event_step(event, begins), *about[event.pk]]
    lasts = max(step.ends or step.claimed or step.starts for step in steps)
    return Trace(correlation_id, begins, lasts, steps, cut)


def _event_step(event: Event, begins: datetime) -> Step:
    return Step(
        kind="event",
        pk=event.pk,
        title=f"{event.type} /{event.source}",
        meaning=_meanings.get((event.type, event.source), ""),
        status="erased" if event.erased_at else "superseded" if event.emptied_at else "",
        starts=event.created_at - begins,
    )


def _moment_step(moment: Moment, begins: datetime) -> Step:
    title, meaning = _moments.get(moment.what, (moment.what, ""))
    return Step(kind="moment", title=title, meaning=meaning, starts=moment.at - begins)


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
