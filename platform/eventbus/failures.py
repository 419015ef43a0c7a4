"""What becomes of a delivery that fails: it is tried again, or given up, and then its subscriber is told."""

from __future__ import annotations

import logging
import traceback
from datetime import timedelta
from functools import partial
from pathlib import PurePath
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from contracts import ContractError, Event, UnknownForm
from eventbus import metrics, models, stuck
from eventbus.context import caused_by
from eventbus.leases import Lease
from eventbus.models import Status
from eventbus.subscriptions import HOPELESS, NeverRetry, TryAgain

logger = logging.getLogger(__name__)


def fail(lease: Lease, error: Exception) -> None:
    """Plan the next attempt, or give up."""
    retry, attempts, reason = lease.subscription.retry, lease.delivery.attempts, describe(error)
    if _is_hopeless(lease, error):
        bury(lease, reason, attempts)
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
        log_late_failure(lease, reason)


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
def bury(lease: Lease, reason: str, attempts: int) -> None:
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
        log_late_failure(lease, reason)
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
        log_late_failure(lease, reason)


def log_late_failure(lease: Lease, reason: str) -> None:
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
