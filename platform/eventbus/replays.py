"""Replaying: events that were delivered long ago are delivered once more, for example after a change of the scoring.

A replay is an order, which is placed in a moment. The sweepers carry it out, a batch in each transaction: they make its
deliveries and, where it was cancelled, skip those that wait. Its row says where to go on, so that whoever is killed
leaves it to the next. docs/adr/0021 says why.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial, reduce
from operator import or_
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from contracts.cloudevents import type_registry
from eventbus import metrics, statements
from eventbus.models import Delivery, Event, Replay, ReplayState
from eventbus.pausing import UnknownSubscriber
from eventbus.subscriptions import Subscription, registry

BATCH = 500
DEFAULT_RATE = 50
HIGHEST_RATE = 1000


class ReplayRefused(ValueError):
    """The order makes no sense; the message says what to do."""


class NothingToReplay(ReplayRefused):
    """No event is left to be replayed."""

    def __init__(self) -> None:
        super().__init__("there is nothing to replay")


class OrderedAlready(Exception):
    """An order with this token was given before: a page that was sent twice."""


class CancelledAlready(Exception):
    """Somebody cancelled this replay before."""

    def __init__(self, order: Replay) -> None:
        self.order = order
        super().__init__(f"replay {order.pk} was cancelled already")


class FinishedAlready(Exception):
    """All deliveries of this replay were handed on: there is nothing left to cancel."""

    def __init__(self, order: Replay) -> None:
        self.order = order
        super().__init__(f"replay {order.pk} has finished")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which events are replayed, to whom. Checked when it is made: raises ReplayRefused or UnknownSubscriber."""

    event_type: str = ""
    """Only events of this type; empty: of any."""
    subscriber: str = ""
    """Only to this one; empty: to each that wants the event."""
    since: datetime | None = None
    until: datetime | None = None
    """Published at `since` or later, and before `until`."""

    def __post_init__(self) -> None:
        if not self.event_type and not self.subscriber:
            raise ReplayRefused("name a type of events, a subscriber, or both")
        if self.event_type and self.event_type not in type_registry:
            raise ReplayRefused(f"there is no type {self.event_type!r}; known are: {', '.join(sorted(type_registry))}")
        if self.subscriber and self.subscriber not in registry:
            raise UnknownSubscriber(self.subscriber)
        if self.since and self.until and self.since >= self.until:
            raise ReplayRefused("the time range is empty: its end has to be later than its begin")
        if not self.subscriptions():
            raise ReplayRefused("nobody of that name subscribes to events of this type")

    def subscriptions(self) -> list[Subscription]:
        """Those that get deliveries, by name."""
        named = [registry[self.subscriber]] if self.subscriber else [registry[name] for name in sorted(registry)]
        return [subscription for subscription in named if self.types_for(subscription)]

    def types_for(self, subscription: Subscription) -> list[str]:
        """The types of events that this subscription gets."""
        wanted = (name for name, event in type_registry.items() if issubclass(event, subscription.event_type))
        return [name for name in wanted if self.event_type in ("", name)]

    def events_for(self, subscription: Subscription) -> QuerySet[Event]:
        """What is replayed to this subscription: not what was erased or superseded, and not what it has yet to handle
        anyway."""
        waiting = Delivery.objects.undelivered().filter(event=OuterRef("pk"), subscriber=subscription.name)
        return self._published_for(subscription).filter(~Exists(waiting), emptied_at__isnull=True)

    def _published_for(self, subscription: Subscription) -> QuerySet[Event]:
        events = Event.objects.filter(type__in=self.types_for(subscription), erased_at__isnull=True)
        if subscription.source is not None:
            events = events.filter(source=subscription.source)
        if self.since:
            events = events.filter(created_at__gte=self.since)
        if self.until:
            events = events.filter(created_at__lt=self.until)
        return events

    def count(self) -> dict[str, int]:
        """The dry run: how many deliveries each subscriber would get now."""
        return {each.name: self.events_for(each).count() for each in self.subscriptions()}

    def count_superseded(self) -> int:
        """The dry run: how many events are left out because newer ones superseded them and their contents are gone."""
        emptied = Event.objects.filter(emptied_at__isnull=False)
        wanted = (self._published_for(each).values("pk") for each in self.subscriptions())
        return emptied.filter(reduce(or_, (Q(pk__in=rows) for rows in wanted))).count()


def place(selection: Selection, *, rate: int, by: str, token: UUID | None = None) -> Replay:
    """Order a replay; the sweepers carry it out, or `carry_out`. Gives the record of the order, before any delivery.

    `rate` of its deliveries fall due each second, the oldest events first. They are of a generation of their own: no
    live delivery waits for them, while they wait for older live ones of their key. Events that are published from now
    on are not replayed. Raises ReplayRefused for a silly rate, NothingToReplay, and OrderedAlready where another order
    carries the `token`.
    """
    if not 1 <= rate <= HIGHEST_RATE:
        raise ReplayRefused(f"the rate is a number of deliveries per second from 1 to {HIGHEST_RATE}")
    # Before the counting: what an order selected waits now, and is not counted again.
    if token is not None and Replay.objects.filter(token=token).exists():
        raise OrderedAlready
    expected = sum(selection.count().values())
    if not expected:
        raise NothingToReplay
    order, is_new = Replay.objects.get_or_create(
        token=token or uuid4(),
        defaults={
            "event_type": selection.event_type,
            "subscriber": selection.subscriber,
            "since": selection.since,
            "until": selection.until,
            "rate": rate,
            "started_by": by[:254],
            "expected": expected,
            "newest": Event.objects.aggregate(newest=Max("pk"))["newest"],
        },
    )
    if not is_new:
        raise OrderedAlready
    order.refresh_from_db()
    return order


def cancel(number: int, by: str) -> Replay:
    """Let no more of this replay be handed on; the sweepers carry that out, or `carry_out`.

    What a worker has, or has had, stays as it is; if its attempt fails, it is not tried again. Gives the record of the
    order. Raises Replay.DoesNotExist, and CancelledAlready or FinishedAlready where there is nothing to do.
    """
    with transaction.atomic():
        # Waits for a batch that is being made: it is counted, and is the last.
        order = Replay.objects.select_for_update().get(pk=number)
        if order.cancelled_at:
            raise CancelledAlready(order)
        if order.finished_at and not Delivery.objects.of_replay(number).exists():
            raise FinishedAlready(order)
        Replay.objects.filter(pk=number).update(cancelled_at=Now(), cancelled_by=by[:254])
    return Replay.objects.with_progress().get(pk=number)


def under_way() -> dict[ReplayState, int]:
    """How many replays have something left to do, by their state; reads undelivered deliveries only."""
    unfinished = {
        pk: ReplayState.CANCELLING if cancelled_at else ReplayState.MAKING
        for pk, cancelled_at in Replay.objects.unfinished().values_list("pk", "cancelled_at")
    }
    waiting = Delivery.objects.undelivered().filter(generation__gt=0).order_by()
    delivering = set(waiting.values_list("generation", flat=True).distinct()) - unfinished.keys()
    states = Counter(unfinished.values())
    return {
        ReplayState.MAKING: states[ReplayState.MAKING],
        ReplayState.DELIVERING: len(delivering),
        ReplayState.CANCELLING: states[ReplayState.CANCELLING],
    }


# --- carrying it out -----------------------------------------------------------------------------------------------
def carry_on(seconds: float) -> None:
    """Go on with every order that has something left to do, for so long at the most: part of the sweeper's thread.

    What another process is at is left to it. What was cancelled comes first, for each delivery that is handed on
    meanwhile is one that nobody wants.
    """
    deadline = time.monotonic() + seconds
    for order in Replay.objects.unfinished().order_by(F("cancelled_at").asc(nulls_last=True), "pk").only("pk"):
        while time.monotonic() < deadline and _step(order.pk, wait=False):
            pass


def carry_out(number: int, progress: Callable[[Replay], None] = lambda order: None) -> Replay:
    """Go on with one order until nothing is left but what is at work, taking turns with the sweepers.

    `progress` is told after each batch how far it is. Gives the record of the order.
    """
    while order := _step(number, wait=True):
        progress(order)
    return Replay.objects.with_progress().get(pk=number)


def _step(number: int, *, wait: bool) -> Replay | None:
    """Make or cancel a batch. Gives the order, None where there is nothing to do now, or, unless it is to `wait`, where
    another process is at it."""
    with transaction.atomic():
        # Locked, so that one process at a time goes on with it, and none makes what is being cancelled.
        rows = Replay.objects.select_for_update(skip_locked=not wait)
        order = rows.unfinished().filter(pk=number).annotate(now=Now()).first()
        if order is None:
            return None
        did_something = _cancel_batch(order) if order.cancelled_at else _make_batch(order)
    return order if did_something else None


def _make_batch(order: Replay) -> bool:
    """Make the next deliveries; False where this code knows nobody to make them for: another version may."""
    try:
        selection = Selection(
            event_type=order.event_type, subscriber=order.subscriber, since=order.since, until=order.until
        )
    except (ReplayRefused, UnknownSubscriber):
        return False
    left = [each for each in selection.subscriptions() if each.name >= order.next_subscriber]
    batch = _next_events(order, selection, left[0]) if left else []
    if batch:
        _make(order, left[0], batch)
    # A batch that is not full is the last: what earlier replays finish in that time is not run after, batch by batch.
    if len(batch) == BATCH:
        order.next_subscriber, order.position = left[0].name, batch[-1][0]
    elif left[1:]:
        order.next_subscriber, order.position = left[1].name, 0
    else:
        order.finished_at = vars(order)["now"]
    order.save(update_fields=["deliveries", "next_due_at", "next_subscriber", "position", "finished_at"])
    return True


def _next_events(order: Replay, selection: Selection, subscription: Subscription) -> list[tuple[int, str]]:
    """Position and key of those that come next. Locked, so that no pruning takes one away from its new delivery."""
    position = order.position if subscription.name == order.next_subscriber else 0
    events = selection.events_for(subscription).filter(pk__gt=position, pk__lte=order.newest)
    locked = events.order_by("pk").select_for_update(of=("self",), no_key=True)
    return list(locked.values_list("pk", "key")[:BATCH])


def _make(order: Replay, subscription: Subscription, events: list[tuple[int, str]]) -> None:
    # Not from the order on: if nobody was there to make them, all that fell due in that time would come at once.
    begin = max(order.next_due_at or vars(order)["now"], vars(order)["now"])
    dues = [begin + timedelta(seconds=index / order.rate) for index in range(len(events) + 1)]
    Delivery.objects.bulk_create(
        Delivery(
            event_id=event,
            key=key,
            subscriber=subscription.name,
            generation=order.pk,
            due_at=due,
            age_from=due,
            note=f"replay {order.pk} by {order.started_by}\n",
        )
        for (event, key), due in zip(events, dues, strict=False)
    )
    order.next_due_at = dues[-1]
    order.deliveries += len(events)
    transaction.on_commit(partial(metrics.count, "replayed", len(events)))


def _cancel_batch(order: Replay) -> bool:
    """Skip the next deliveries that wait; False where none does. The last one to be handed on ends the cancelling."""
    skipped = Counter(statements.cancel(order.pk, f"replay {order.pk} was cancelled", BATCH))
    order.cancelled += skipped.total()
    if skipped.total() < BATCH and not Delivery.objects.of_replay(order.pk).exists():
        order.ended_at = vars(order)["now"]
    if skipped or order.ended_at:
        order.save(update_fields=["cancelled", "ended_at"])
    for subscriber, count in skipped.items():
        transaction.on_commit(partial(metrics.count_delivery, "cancelled", subscriber, count))
    return bool(skipped)
