"""Handling what was claimed: one delivery in a transaction of its own, or several of one claim in a shared one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

from django.db import transaction
from django.db.models import Q

from contracts import Event
from eventbus import metrics, models, scope, statements, stuck
from eventbus.context import caused_by, outside
from eventbus.failures import describe, fail, log_late_failure
from eventbus.leases import Lease, LeaseLost, looked_at_again
from eventbus.models import Delivery, Status
from eventbus.wakeups import Wakeup

logger = logging.getLogger(__name__)

BATCH_SECONDS = 0.05
"""After so long a shared transaction commits what it has: others wait for its locks, and its effects for the commit."""


# --- several deliveries in one transaction -------------------------------------------------------------------------
def deliver_with_others(first: Lease, stack: list[Wakeup | Lease]) -> int:
    """Deliver the lease and those on the stack that may share its transaction; gives how many came to an end."""
    batch = [first]
    while stack and _may_share(first, stack[-1]):
        batch.append(cast("Lease", stack.pop()))
    if len(batch) == 1:
        deliver(first)
        return 1
    handled = _handle_together(batch)
    rest = looked_at_again(batch[handled:]) if handled else [replace(lease, alone=True) for lease in batch]
    stack.extend(reversed(rest))
    return handled


def _may_share(first: Lease, other: Wakeup | Lease) -> bool:
    """Whether both were claimed together for the same subscriber, and neither has to stay alone."""
    if not isinstance(other, Lease) or (other.token, other.subscription) != (first.token, first.subscription):
        return False
    return first.in_batches and other.in_batches


def _handle_together(batch: list[Lease]) -> int:
    """Handle those of one claim in one transaction until its time is up; gives how many, none where one failed."""
    until, handled, skipped = time.monotonic() + BATCH_SECONDS, list[int](), 0
    try:
        with stuck.limited(batch[0].subscription.timeout), transaction.atomic(durable=True):
            for lease in batch:
                if lease.is_pointless:
                    _skip_superseded(lease)
                    skipped += 1
                else:
                    _handle_among_others(lease)
                    handled.append(lease.delivery.id)
                if scope.stopping.is_set() or time.monotonic() > until:
                    break
            if handled and not statements.done(handled, batch[0].token):
                raise LeaseLost
    except Exception as error:
        # Each is tried alone now: there it shows whose error it was.
        logger.info("a batch to %s was rolled back: %s", batch[0].subscription.name, describe(error))
        return 0
    if handled:
        metrics.count_delivery("done", batch[0].subscription.name, len(handled))
    return len(handled) + skipped


def _handle_among_others(lease: Lease) -> None:
    """Call the handler; its hooks run after the commit as if it had been alone: none that fails costs others theirs."""
    event = lease.subscription.event_type.from_cloudevent(lease.delivery.payload)
    connection = transaction.get_connection()
    before = len(connection.run_on_commit)
    with caused_by(event):
        lease.subscription.handler(event)
    hooks = connection.run_on_commit
    hooks[before:] = [(ids, partial(_run_hook, lease, event, hook), robust) for ids, hook, robust in hooks[before:]]


def _run_hook(lease: Lease, event: Event, hook: Callable[[], object]) -> None:
    try:
        with caused_by(event):
            hook()
    except Exception as error:
        log_late_failure(lease, describe(error))


# --- one delivery --------------------------------------------------------------------------------------------------
def deliver(lease: Lease) -> None:
    """Bring one claimed delivery to its next state. Errors of the handler end here; a database that is gone raises."""
    delivery = lease.delivery
    if not delivery.payload:
        metrics.count_delivery("skipped", lease.subscription.name, lease.row.finish(Status.SKIPPED, "erased"))
    elif lease.is_pointless:
        _skip_superseded(lease)
    else:
        _handle(lease)


def _skip_superseded(lease: Lease) -> None:
    """Skip this delivery and all others of its line that the newest one makes pointless."""
    line = Delivery.objects.undelivered().filter(
        Q(pk=lease.delivery.id, lease_token=lease.token) | Q(status=Status.READY),
        key=lease.delivery.key,
        subscriber=lease.subscription.name,
        event__lt=lease.delivery.superseded_by,
        event__supersedable=True,
    )
    skipped = line.finish(Status.SKIPPED)
    transaction.on_commit(partial(metrics.count_delivery, "skipped", lease.subscription.name, skipped))


def _handle(lease: Lease) -> None:
    """Call the handler: its effects, its follow-ups and "done" commit together or not at all."""
    try:
        event = lease.subscription.event_type.from_cloudevent(lease.delivery.payload)
        with stuck.limited(lease.subscription.timeout), caused_by(event):
            store = (
                _call_out(lease, event) if lease.subscription.outside else partial(lease.subscription.handler, event)
            )
            with transaction.atomic(durable=True):
                store()
                if not statements.done([lease.delivery.id], lease.token):
                    raise LeaseLost
    except LeaseLost:
        metrics.count_delivery("fenced", lease.subscription.name)
        _log_lost(lease)
    except Exception as error:
        fail(lease, error)
    else:
        metrics.count_delivery("done", lease.subscription.name)


def _call_out(lease: Lease, event: Event) -> Callable[[], object]:
    """Call the handler without a transaction; gives what stores its result, in the one that ends the delivery."""
    with outside():
        finish: Callable[[], object] | None = lease.subscription.handler(event, lease.idempotency_key)
    return finish or _nothing_to_store


def _nothing_to_store() -> None:
    """The handler gave no function."""


def _log_lost(lease: Lease) -> None:
    if models.Event.objects.filter(pk=lease.delivery.position, erased_at__isnull=True).exists():
        logger.warning("%s took too long: another worker has it, its effects were rolled back", lease)
    else:
        logger.info("%s was erased while it was handled: its effects were rolled back", lease)
