"""Delivering: claim, handle, finish. docs/events.md draws the states of a delivery."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import filterfalse
from pathlib import PurePath
from typing import Any, cast
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from contracts import ContractError, Event, UnknownForm
from eventbus import metrics, models, scope, statements, stuck
from eventbus.context import caused_by, outside
from eventbus.models import Delivery, DeliveryQuerySet, Status
from eventbus.statements import ClaimedRow
from eventbus.subscriptions import HOPELESS, NeverRetry, Subscription, TryAgain, registry
from eventbus.wakeups import Claimed, Wakeup, collected_follow_ups, enqueue

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
        return self.subscription.batch and not self.alone and bool(self.delivery.payload)

    @property
    def idempotency_key(self) -> str:
        """The same for each try of this delivery, and for no other one anywhere."""
        return f"{self.delivery.payload.get('id')}-{self.delivery.id}"

    def __str__(self) -> str:
        return f"delivery {self.delivery.id} of event {self.delivery.payload.get('id')} to {self.subscription.name}"


def drain(subscriber: str, hint: int | None = None, claimed: Sequence[Claimed] = ()) -> int:
    """Deliver until nothing is due for the subscriber; gives how many deliveries were worked on.

    Begins with what is `claimed` already, else with a claim that takes the delivery of the hint, too.

    What the handlers publish is delivered here as well, each with a claim and a transaction of its own. After half
    the subscription's timeout the rest is handed to the next task, so that no claimed lease runs out while waiting.

    Why no wake-up gets lost between two workers. A claim finds nothing only where each due row is claimed by, or
    blocked behind a row of, somebody else. That one looks again after its last commit; our row was committed before
    our claim looked, hence before that commit, so it is seen then. A worker that dies first leaves a lease that
    runs out, and the sweep looks.
    """
    leases = [Lease(each.row, registry[subscriber], each.token) for each in reversed(claimed)]
    return _work_off([*leases] or [Wakeup(subscriber, hint)], registry[subscriber].timeout / 2)


def drain_all() -> int:
    """Deliver to all subscribers of this process until nothing is due; gives how many deliveries were worked on."""
    total = 0
    while handled := sweep():
        total += handled
    return total


def sweep(grace: float = 0.0, names: Sequence[str] | None = None, aside: Callable[[str], object] | None = None) -> int:
    """Deliver what nobody was woken up for: leases that ran out, and what has been due for `grace` seconds.

    What became due just now has a wake-up on its way, and a worker that waits for it. Needs no broker. It looks for
    the named subscribers, else for all of this process. Those that call out it tells to `aside`, where that is given,
    and leaves them alone.
    """
    served = scope.served() if names is None else [*names]
    handled = sum(_rescue(registry[name]) for name in _left_here(_with_expired_leases(served), aside))
    return handled + sum(drain(name) for name in _left_here(statements.with_due_deliveries(served, grace), aside))


def _left_here(found: list[str], aside: Callable[[str], object] | None) -> list[str]:
    """Those of the subscribers that are not told to `aside`."""
    if aside is None:
        return found
    for name in filter(_calls_out, found):
        aside(name)
    return [*filterfalse(_calls_out, found)]


def _calls_out(name: str) -> bool:
    return registry[name].outside


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
    """Claim the hinted delivery and up to BATCH others that are due, oldest first; nothing is due: an empty list.

    Of a subscriber that calls out it is the oldest one alone: what waited behind a call would lose its lease.
    """
    token = uuid4()
    hint, limit = (None, 1) if subscription.outside else (hint, BATCH + 1)
    # A transaction of its own, without saying so: saying so would cost two statements more.
    rows = statements.claim(subscription.name, token, subscription.timeout, hint, limit)
    return [Lease(row, subscription, token) for row in rows]


def claim_expired(subscription: Subscription, attempts: range | None = None) -> list[Lease]:
    """Claim one delivery whose lease ran out, alone: if it kills this worker too, it takes no others to the grave.

    It has had so many `attempts`; None: fewer than it may have.
    """
    token, wanted = uuid4(), attempts or range(subscription.retry.max_attempts)
    rows = statements.claim_expired(subscription.name, token, subscription.timeout, wanted)
    return [Lease(row, subscription, token) for row in rows]


def _with_expired_leases(names: list[str]) -> list[str]:
    expired = Delivery.objects.expired().filter(subscriber__in=names).order_by()
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
    limit = end = subscription.retry.max_attempts
    reason = f"no attempt of {limit} finished: its worker died or took longer than the lease"
    if subscription.on_dead is not None:
        # Claimed for it, so that each try counts: on_dead may kill this worker, too.
        end = limit + subscription.retry.max_attempts
        while leases := claim_expired(subscription, range(limit, end)):
            _bury(leases[0], reason, limit)
        reason += "; on_dead never finished"
    dead = (
        Delivery.objects.expired().filter(subscriber=subscription.name, attempts__gte=end).finish(Status.DEAD, reason)
    )
    if dead:
        metrics.count_delivery("dead", subscription.name, dead)
        logger.error("%s deliveries to %s are dead: %s", dead, subscription.name, reason)
        if subscription.on_dead is not None:
            metrics.count("on_dead_failed", dead)


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
        _log_late_failure(lease, describe(error))


# --- one delivery --------------------------------------------------------------------------------------------------
def _deliver(lease: Lease) -> None:
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
        _fail(lease, error)
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


def _fail(lease: Lease, error: Exception) -> None:
    """Plan the next attempt, or give up."""
    retry, attempts, reason = lease.subscription.retry, lease.delivery.attempts, describe(error)
    if _is_hopeless(lease, error):
        _bury(lease, reason, attempts)
        return
    # It counts no attempt where only another process can read it: that one may need all of them.
    waits_for_others = isinstance(error, UnknownForm)
    planned = lease.row.update(
        status=Status.READY,
        attempts=attempts - 1 if waits_for_others else attempts,
        due_at=Now() + (retry.wait_for_others(_waited(lease)) if waits_for_others else retry.wait(attempts)),
        lease_token=None,
        leased_until=None,
        last_error=reason,
    )
    if planned:
        metrics.count_delivery("retried", lease.subscription.name)
        logger.warning("%s failed at attempt %s and is tried again: %s", lease, attempts, reason)
    else:
        _log_late_failure(lease, reason)


def _is_hopeless(lease: Lease, error: Exception) -> bool:
    """Whether it is given up now; what this code can't read yet only once it is too old."""
    if not isinstance(error, UnknownForm) and (
        isinstance(error, (NeverRetry, *HOPELESS)) or lease.delivery.attempts >= lease.subscription.retry.max_attempts
    ):
        return True
    return _waited(lease) >= lease.subscription.retry.max_age


def _waited(lease: Lease) -> timedelta:
    """For how long it has been undelivered, as its maximum age counts it."""
    ages = lease.row.annotate(waited=Now() - models.aged_from()).values_list("waited", flat=True)
    return ages.first() or timedelta(0)


# --- giving up -----------------------------------------------------------------------------------------------------
def _bury(lease: Lease, reason: str, attempts: int) -> None:
    """Mark it dead and tell its subscriber, both or neither; says that it was given up after so many attempts."""
    if not lease.delivery.payload:
        metrics.count_delivery("skipped", lease.subscription.name, lease.row.finish(Status.SKIPPED, "erased"))
    elif lease.subscription.on_dead is None:
        _mark_dead(lease, reason, attempts)
    else:
        try:
            with stuck.limited(lease.subscription.timeout), transaction.atomic(durable=True):
                if _mark_dead(lease, reason, attempts):
                    _tell(lease)
        except Exception as error:
            _put_off(lease, reason, attempts, error)


def _mark_dead(lease: Lease, reason: str, attempts: int) -> int:
    dead = lease.row.finish(Status.DEAD, reason, attempts=attempts)
    if dead:
        transaction.on_commit(partial(metrics.count_delivery, "dead", lease.subscription.name))
        transaction.on_commit(partial(logger.error, "%s is dead after %s attempts: %s", lease, attempts, reason))
    else:
        _log_late_failure(lease, reason)
    return dead


def _tell(lease: Lease) -> None:
    """Call on_dead with the event; of one that this code can't read with what it can, or not at all."""
    subscription, payload = lease.subscription, lease.delivery.payload
    assert subscription.on_dead is not None
    try:
        event = _readable(subscription.event_type, payload)
    except (ContractError, UnknownForm) as error:
        logger.error("%s: nobody is told that it is dead, for nothing of it can be read: %s", lease, error)
        return
    with caused_by(event):
        subscription.on_dead(event)


def _readable(event_type: type[Event], payload: dict[str, Any]) -> Event:
    try:
        return event_type.from_cloudevent(payload)
    except (ContractError, UnknownForm):
        return event_type.salvaged(payload)


def _put_off(lease: Lease, reason: str, attempts: int, error: Exception) -> None:
    """on_dead failed, and the mark was rolled back with it: let the sweep try again after a while, or never again.

    The lease is kept for that while: what may be a killer must not be claimed together with others.
    """
    retry, reason = lease.subscription.retry, f"{reason}; on_dead failed: {describe(error)}"
    if isinstance(error, (NeverRetry, *HOPELESS)) or lease.delivery.attempts >= 2 * retry.max_attempts:
        metrics.count("on_dead_failed", _mark_dead(lease, reason, attempts))
    elif lease.row.update(leased_until=Now() + retry.wait(lease.delivery.attempts), last_error=reason):
        metrics.count_delivery("retried", lease.subscription.name)
        logger.error("%s is not given up yet: %s", lease, reason)
    else:
        _log_late_failure(lease, reason)


def _log_late_failure(lease: Lease, reason: str) -> None:
    """It was done already (a hook after its commit failed), or another worker has it."""
    logger.error("%s: an error after its lease had ended changes nothing: %s", lease, reason)


def describe(error: Exception) -> str:
    """Say what went wrong and where. Messages are left out, for they may quote a customer's answers, except those of
    errors that promise not to."""
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    if isinstance(error, (NeverRetry, TryAgain, ContractError, UnknownForm)):
        kind = f"{type(error).__qualname__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return kind
    return f"{kind} at {PurePath(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}"
