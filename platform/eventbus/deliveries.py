"""Delivering: claim (`leases`), handle (`handling`), finish. docs/events.md draws the states of a delivery."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import filterfalse

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from eventbus import metrics, scope, statements
from eventbus.failures import bury
from eventbus.handling import deliver_with_others
from eventbus.leases import Lease, claim, claim_expired
from eventbus.models import Delivery, Status
from eventbus.subscriptions import Subscription, registry
from eventbus.wakeups import Claimed, Wakeup, collected_follow_ups, enqueue

logger = logging.getLogger(__name__)


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
                handled += deliver_with_others(step, stack)
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


# --- what other workers left behind --------------------------------------------------------------------------------
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
            bury(leases[0], reason, limit)
        reason += "; on_dead never finished"
    dead = (
        Delivery.objects.expired().filter(subscriber=subscription.name, attempts__gte=end).finish(Status.DEAD, reason)
    )
    if dead:
        metrics.count_delivery("dead", subscription.name, dead)
        logger.error("%s deliveries to %s are dead: %s", dead, subscription.name, reason)
        if subscription.on_dead is not None:
            metrics.count("on_dead_failed", dead)
