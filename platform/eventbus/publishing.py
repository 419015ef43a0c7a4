"""The one exit: publish a fact, or erase what was published."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

from django.db import transaction
from django.db.models.functions import Now
from django.db.transaction import TransactionManagementError

from contracts import Event
from eventbus import context, metrics, models, statements
from eventbus.models import Delivery, Status
from eventbus.signals import published
from eventbus.statements import StoredEvent
from eventbus.subscriptions import subscribers_of
from eventbus.wakeups import Claimed, Wakeup, own_token


def publish(event: Event) -> None:
    """Store the event and a delivery for each subscriber in the caller's transaction; wake workers after its commit.

    Once that transaction has committed, every subscriber gets the event, whatever crashes. Raises
    TransactionManagementError outside `transaction.atomic()` and ContractError before anything is written.
    Publishers of one key have to take turns (lock the key's row first): that makes "older" well defined.
    """
    if not transaction.get_connection().in_atomic_block:
        raise TransactionManagementError(
            "publish() belongs into the transaction.atomic() block that makes the fact true"
        )
    correlation_id = event.correlation_id or context.correlation_id.get() or uuid4()
    causation_id = event.causation_id or context.causation_id.get()
    event = replace(event, correlation_id=correlation_id, causation_id=causation_id)
    stored = statements.store_event(event, context.since_request())
    wakeups = list(_store_deliveries(event, stored))
    published.send(sender=type(event), event=event, wakeups=wakeups)
    transaction.on_commit(_count_published)


def _store_deliveries(event: Event, stored: StoredEvent) -> Iterator[Wakeup]:
    """One for each subscriber; those that a worker of this process begins with at once are its own from the start."""
    others = []
    for subscription in subscribers_of(event):
        if token := own_token(subscription.name):
            delivery, row = statements.store_leased(event, stored, subscription.name, token, subscription.timeout)
            yield Wakeup(subscription.name, delivery, Claimed(row, token) if row else None)
        else:
            others.append(subscription.name)
    if others:
        yield from itertools.starmap(Wakeup, statements.store_deliveries(stored.position, event.key, others))


def _count_published() -> None:
    metrics.count("published")


@transaction.atomic
def erase(key: str) -> None:
    """Empty the stored payloads of a key's events and skip what was not delivered yet.

    A handler at work on one of them loses its lease, so that its effects and follow-ups roll back.
    """
    undelivered = Delivery.objects.undelivered().filter(key=key)
    # A handler that finished while the first pass waited for its row may have published a follow-up: look again.
    while skipped := undelivered.finish(Status.SKIPPED, "erased"):
        metrics.count("skipped", skipped)
    models.Event.objects.filter(key=key, erased_at__isnull=True).update(payload={}, erased_at=Now())
