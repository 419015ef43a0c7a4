"""Delivering: claim, handle, finish. docs/events.md draws the states of a delivery."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath
from typing import cast
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from contracts import ContractError, Event
from eventbus import metrics, models, scope, statements, stuck
from eventbus.context import caused_by
from eventbus.models import Delivery, DeliveryQuerySet, Status
from eventbus.statements import ClaimedRow
from eventbus.subscriptions import HOPELESS, NeverRetry, Subscription, TryAgain, registry
from eventbus.wakeups import Wakeup, collected_follow_ups, enqueue

logger = logging.getLogger(__name__)

BATCH = 50
"""How many due deliveries a claim takes besides the hinted one."""
BATCH_SECONDS = 0.05
"""After so long a shared transaction commits what it has: others wait for its locks, and its effects for the commit."""


class LeaseLost(Exception):
    """Somebody else has the delivery now: roll back."""


@dataclass(frozen=True)
class Lease:
    """A delivery that this worker has claimed, with its event."""

    delivery: ClaimedRow
    subscription: Subscription
    token: UUID
    alone: bool = False
    """Whether it must not share a transaction: it did, and one of those failed."""

    @property
    def row(self) -> DeliveryQuerySet:
        """The row, as long as the lease is this worker's."""
        return Delivery.objects.filter(pk=self.delivery.id, lease_token=self.token)

    @property
    def is_pointless(self) -> bool:
        """Whether a newer event of its key waits, so that this one is skipped."""
        delivery = self.delivery
        return self.subscription.coalesce and delivery.supersedable and delivery.superseded_by is not None

    @property
    def in_batches(self) -> bool:
        """Whether it may share a transaction with others of its claim."""
        return self.subscription.batch and not self.alone and bool(self.delivery.payload) and not self.is_pointless

    def __str__(self) -> str:
        return f"delivery {self.delivery.id} of event {self.delivery.payload.get('id')} to {self.subscription.name}"


def drain(subscriber: str, hint: int | None = None) -> int:
    """Deliver until nothing is due for the subscriber; gives how many deliveries were worked on.

    What the handlers publish is delivered here as well, each with a claim and a transaction of its own. After half
    the subscription's timeout the rest is handed to the next task, so that no claimed lease runs out while waiting.

    Why no wake-up gets lost between two workers. A claim finds nothing only where each due row is claimed by, or
    blocked behind a row of, somebody else. That one looks again after its last commit; our row was committed before
    our claim looked, hence before that commit, so it is seen then. A worker that dies first leaves a lease that
    runs out, and the sweep looks.
    """
    return _work_off([Wakeup(subscriber, hint)], registry[subscriber].timeout / 2)


def drain_all() -> int:
    """Deliver to all subscribers of this process until nothing is due; gives how many deliveries were worked on."""
    total = 0
    while handled := sweep():
        total += handled
    return total


def sweep(grace: float = 0.0) -> int:
    """Deliver what nobody was woken up for: leases that ran out, and what has been due for `grace` seconds.

    What became due just now has a wake-up on its way, and a worker that waits for it. Needs no broker.
    """
    handled = sum(_rescue(registry[name]) for name in _with_expired_leases())
    return handled + sum(drain(name) for name in statements.with_due_deliveries(scope.served(), grace))


def _work_off(stack: list[Wakeup | Lease], seconds: float) -> int:
    """Work off wake-ups and leases, last in first out: a stack instead of recursion, so that no chain is too long."""
    deadline = time.monotonic() + seconds
    handled, look_again = 0, set[str]()
    with _follow_ups() as follow_ups:
        while stack:
            if handled and (scope.stopping.is_set() or time.monotonic() > deadline):
                _hand_over(stack, look_again)
                break
            step = stack.pop()
            if isinstance(step, Lease):
                handled += _deliver_with_others(step, stack)
                look_again.add(step.subscription.name)
                stack.extend(reversed(_next_steps(follow_ups)))
                follow_ups.clear()
            elif leases := claim(registry[step.subscriber], step.hint):
                look_again.add(step.subscriber)
                stack.extend(reversed(leases))
            else:
                look_again.discard(step.subscriber)
            if not stack and look_again:
                stack.extend(Wakeup(name) for name in statements.with_due_deliveries(sorted(look_again)))
                look_again.clear()
    return handled


def _next_steps(follow_ups: list[Wakeup]) -> list[Wakeup | Lease]:
    """What this worker has claimed already, and one wake-up for each other subscriber: a claim takes all of them."""
    claimed = [
        Lease(each.claimed.row, registry[each.subscriber], each.claimed.token) for each in follow_ups if each.claimed
    ]
    return [*claimed, *{each.subscriber: each for each in follow_ups if not each.claimed}.values()]


def _follow_ups() -> AbstractContextManager[list[Wakeup]]:
    inline = getattr(settings, "EVENTBUS_INLINE_FOLLOWUPS", True)
    return collected_follow_ups() if inline else nullcontext([])


def _hand_over(stack: Iterable[Wakeup | Lease], names: set[str]) -> None:
    """Give back what was claimed and not begun, and wake another worker for that and for the named subscribers."""
    for step in stack:
        if isinstance(step, Lease):
            step.row.update(
                status=Status.READY, attempts=F("attempts") - 1, lease_token=None, leased_until=None, due_at=Now()
            )
            names.add(step.subscription.name)
        else:
            names.add(step.subscriber)
    for name in sorted(names):
        enqueue(Wakeup(name))


# --- claiming ------------------------------------------------------------------------------------------------------
def claim(subscription: Subscription, hint: int | None = None) -> list[Lease]:
    """Claim the hinted delivery and up to BATCH others that are due, oldest first; nothing is due: an empty list."""
    token = uuid4()
    # A transaction of its own, without saying so: saying so would cost two statements more.
    rows = statements.claim(subscription.name, token, subscription.timeout, hint, BATCH + 1)
    return [Lease(row, subscription, token) for row in rows]


def claim_expired(subscription: Subscription) -> list[Lease]:
    """Claim one delivery whose lease ran out, alone: if it kills this worker too, it takes no others to the grave."""
    token = uuid4()
    rows = statements.claim_expired(subscription.name, token, subscription.timeout, subscription.retry.max_attempts)
    return [Lease(row, subscription, token) for row in rows]


def _with_expired_leases() -> list[str]:
    expired = Delivery.objects.expired().filter(subscriber__in=scope.served()).order_by()
    return list(expired.values_list("subscriber", flat=True).distinct())


def _rescue(subscription: Subscription) -> int:
    """Deliver what other workers left behind, one after the other."""
    _bury_killers(subscription)
    handled = 0
    while leases := claim_expired(subscription):
        handled += _work_off([*leases], subscription.timeout / 2)
    return handled


def _bury_killers(subscription: Subscription) -> None:
    """Give up what ran out of time, or killed its worker, at its last attempt."""
    limit = subscription.retry.max_attempts
    killers = Delivery.objects.expired().filter(subscriber=subscription.name, attempts__gte=limit)
    dead = killers.finish(Status.DEAD, f"no attempt of {limit} finished: its worker died or took longer than the lease")
    if dead:
        metrics.count_delivery("dead", subscription.name, dead)
        logger.error("%s deliveries to %s are dead: no attempt finished", dead, subscription.name)


# --- several deliveries in one transaction -------------------------------------------------------------------------
def _deliver_with_others(first: Lease, stack: list[Wakeup | Lease]) -> int:
    """Deliver the lease and those on the stack that may share its transaction; gives how many came to an end."""
    batch = [first]
    while stack and _may_share(first, stack[-1]):
        batch.append(cast("Lease", stack.pop()))
    if len(batch) == 1:
        _deliver(first)
        return 1
    handled = _handle_together(batch)
    rest = batch[handled:] if handled else [replace(lease, alone=True) for lease in batch]
    stack.extend(reversed(rest))
    return handled


def _may_share(first: Lease, other: Wakeup | Lease) -> bool:
    """Whether both were claimed together and are to be handled, neither skipped nor alone."""
    return isinstance(other, Lease) and other.token == first.token and first.in_batches and other.in_batches


def _handle_together(batch: list[Lease]) -> int:
    """Handle those of one claim in one transaction until its time is up; gives how many, none where one failed."""
    until, handled = time.monotonic() + BATCH_SECONDS, list[int]()
    try:
        with stuck.limited(batch[0].subscription.timeout), transaction.atomic(durable=True):
            for lease in batch:
                _handle_among_others(lease)
                handled.append(lease.delivery.id)
                if scope.stopping.is_set() or time.monotonic() > until:
                    break
            if not statements.done(handled, batch[0].token):
                raise LeaseLost
    except Exception as error:
        # Each is tried alone now: there it shows whose error it was.
        logger.info("a batch to %s was rolled back: %s", batch[0].subscription.name, describe(error))
        return 0
    metrics.count_delivery("done", batch[0].subscription.name, len(handled))
    return len(handled)


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
        _log_late_failure(lease, describe(error))


# --- one delivery --------------------------------------------------------------------------------------------------
def _deliver(lease: Lease) -> None:
    """Bring one claimed delivery to its next state. Errors of the handler end here; a database that is gone raises."""
    delivery = lease.delivery
    if not delivery.payload:
        metrics.count_delivery("skipped", lease.subscription.name, lease.row.finish(Status.SKIPPED, "erased"))
    elif lease.is_pointless and delivery.superseded_by is not None:
        _skip_superseded(lease, delivery.superseded_by)
    else:
        _handle(lease)


def _skip_superseded(lease: Lease, newest: int) -> None:
    """Skip this delivery and all others of its line that the newest one makes pointless."""
    line = Delivery.objects.undelivered().filter(
        Q(pk=lease.delivery.id, lease_token=lease.token) | Q(status=Status.READY),
        key=lease.delivery.key,
        subscriber=lease.subscription.name,
        event__lt=newest,
        event__supersedable=True,
    )
    metrics.count_delivery("skipped", lease.subscription.name, line.finish(Status.SKIPPED))


def _handle(lease: Lease) -> None:
    """Call the handler: its effects, its follow-ups and "done" commit together or not at all."""
    try:
        event = lease.subscription.event_type.from_cloudevent(lease.delivery.payload)
        with stuck.limited(lease.subscription.timeout), caused_by(event), transaction.atomic(durable=True):
            lease.subscription.handler(event)
            if not statements.done([lease.delivery.id], lease.token):
                raise LeaseLost
    except LeaseLost:
        metrics.count_delivery("fenced", lease.subscription.name)
        _log_lost(lease)
    except Exception as error:
        _fail(lease, error)
    else:
        metrics.count_delivery("done", lease.subscription.name)


def _log_lost(lease: Lease) -> None:
    if models.Event.objects.filter(pk=lease.delivery.position, erased_at__isnull=False).exists():
        logger.info("%s was erased while it was handled: its effects were rolled back", lease)
    else:
        logger.warning("%s took too long: another worker has it, its effects were rolled back", lease)


def _fail(lease: Lease, error: Exception) -> None:
    """Plan the next attempt, or give up."""
    retry, attempts, reason = lease.subscription.retry, lease.delivery.attempts, describe(error)
    if isinstance(error, (NeverRetry, *HOPELESS)) or attempts >= retry.max_attempts or _is_too_old(lease):
        if lease.row.finish(Status.DEAD, reason):
            metrics.count_delivery("dead", lease.subscription.name)
            logger.error("%s is dead after %s attempts: %s", lease, attempts, reason)
        else:
            _log_late_failure(lease, reason)
        return
    planned = lease.row.update(
        status=Status.READY,
        due_at=Now() + retry.wait(attempts),
        lease_token=None,
        leased_until=None,
        last_error=reason,
    )
    if planned:
        metrics.count_delivery("retried", lease.subscription.name)
        logger.warning("%s failed at attempt %s and is tried again: %s", lease, attempts, reason)
    else:
        _log_late_failure(lease, reason)


def _log_late_failure(lease: Lease, reason: str) -> None:
    """It was done already (a hook after its commit failed), or another worker has it."""
    logger.error("%s: an error after its lease had ended changes nothing: %s", lease, reason)


def _is_too_old(lease: Lease) -> bool:
    aged = lease.row.alias(since=models.aged_from())
    return aged.filter(since__lte=Now() - lease.subscription.retry.max_age).exists()


def describe(error: Exception) -> str:
    """Say what went wrong and where. Messages are left out, for they may quote a customer's answers, except those of
    errors that promise not to."""
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    if isinstance(error, (NeverRetry, TryAgain, ContractError)):
        kind = f"{type(error).__qualname__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return kind
    return f"{kind} at {PurePath(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}"
