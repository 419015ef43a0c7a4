"""Replaying: events that were delivered long ago are delivered once more, for example after a change of the scoring."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, Max, OuterRef, QuerySet, Value
from django.db.models.functions import Now

from contracts.cloudevents import type_registry
from eventbus import metrics
from eventbus.models import Delivery, Event, Replay
from eventbus.pausing import UnknownSubscriber
from eventbus.subscriptions import Subscription, registry

BATCH = 500
DEFAULT_RATE = 50
HIGHEST_RATE = 1000


class ReplayRefused(ValueError):
    """The order makes no sense; the message says what to do."""


class OrderedAlready(Exception):
    """An order with this token was given before: a page that was sent twice."""


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
        """What is replayed to this subscription: not what was erased, and not what it has yet to handle anyway."""
        waiting = Delivery.objects.undelivered().filter(event=OuterRef("pk"), subscriber=subscription.name)
        events = Event.objects.filter(~Exists(waiting), type__in=self.types_for(subscription), erased_at__isnull=True)
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


def replay(
    selection: Selection,
    *,
    rate: int,
    by: str,
    token: UUID | None = None,
    progress: Callable[[int], None] = lambda made: None,
) -> Replay:
    """Make the deliveries, `rate` of them due each second, the oldest events first; gives the record of the order.

    They are of a generation of their own: no live delivery waits for them, while they wait for older live ones of their
    key. Events that are published meanwhile are not replayed. `progress` is told the number made so far. After a crash
    in between, what was made is delivered, and the order can be given again. Raises ReplayRefused for a silly rate, and
    OrderedAlready where another order carries the `token`.
    """
    if not 1 <= rate <= HIGHEST_RATE:
        raise ReplayRefused(f"the rate is a number of deliveries per second from 1 to {HIGHEST_RATE}")
    newest = Event.objects.aggregate(newest=Max("pk"))["newest"] or 0
    order = _order(selection, rate, by, token)
    made = 0
    for subscription in selection.subscriptions():
        for count in _make(order, subscription, selection.events_for(subscription).filter(pk__lte=newest), made):
            made += count
            progress(made)
    Replay.objects.filter(pk=order.pk).update(finished_at=Now())
    order.refresh_from_db()
    metrics.count("replayed", made)
    return order


def _order(selection: Selection, rate: int, by: str, token: UUID | None) -> Replay:
    order = Replay(
        event_type=selection.event_type,
        subscriber=selection.subscriber,
        since=selection.since,
        until=selection.until,
        rate=rate,
        started_by=by[:254],
        token=token,
    )
    try:
        with transaction.atomic():
            order.save(force_insert=True)
    except IntegrityError as error:
        raise OrderedAlready from error
    order.refresh_from_db()
    return order


def _make(order: Replay, subscription: Subscription, events: QuerySet[Event], made: int) -> Iterator[int]:
    """Make one subscription's deliveries, a batch in each transaction; yields the size of each."""
    position, is_last = 0, False
    # A batch that is not full is the last: what earlier replays finish meanwhile is not run after, batch by batch.
    while not is_last:
        with transaction.atomic():
            # Locked, so that no pruning takes an event away from its new delivery.
            batch = list(
                events.filter(pk__gt=position)
                .order_by("pk")
                .select_for_update(of=("self",), no_key=True)
                .values_list("pk", "key")[:BATCH]
            )
            if not batch:
                return
            dues = [order.started_at + timedelta(seconds=(made + index) / order.rate) for index in range(len(batch))]
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
                for (event, key), due in zip(batch, dues, strict=True)
            )
            Replay.objects.filter(pk=order.pk).update(deliveries=F("deliveries") + Value(len(batch)))
        position, is_last = batch[-1][0], len(batch) < BATCH
        made += len(batch)
        yield len(batch)
