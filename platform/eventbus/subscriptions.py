"""Who wants which events: the registry, and the rules of retrying."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from contracts import ContractError, Event

HOPELESS = (
    ContractError,
    TypeError,
    AttributeError,
    NameError,
    ImportError,
    AssertionError,
    LookupError,
    NotImplementedError,
)
"""Errors of contract or programming: trying again can't help."""

_dice = random.SystemRandom()


class NeverRetry(Exception):
    """Raise it from a handler: the delivery is dead at once. Its message is stored: no customer's values in it."""


class TryAgain(Exception):
    """Raise it from a handler: try again later. Its message is stored and shown: say what to do, no values in it."""


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How often, how long and how fast a delivery that fails is tried again."""

    max_attempts: int = 15
    """Attempts are counted when they begin, so one that kills its worker counts too."""
    max_age: timedelta = timedelta(days=2)
    """Counted from publishing."""
    base: float = 0.5
    """Seconds: the longest wait before the second attempt; it doubles with each."""
    cap: float = 600.0
    """Seconds: no wait is longer."""

    def longest_wait(self, attempts: int) -> float:
        """The longest wait in seconds after that many attempts."""
        return min(self.cap, self.base * 2.0 ** min(attempts - 1, 60))

    def wait(self, attempts: int) -> timedelta:
        """A wait after that many attempts, with full jitter: anything from nothing to the longest."""
        return timedelta(seconds=_dice.uniform(0, self.longest_wait(attempts)))


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """One subscriber: what EventBridge calls a rule with its target."""

    name: str
    """Unique, "app.verb"; also the name of its Celery task."""
    event_type: type[Event]
    handler: Callable[[Any], None]
    source: str | None = None
    """Only events of this source; None: of any."""
    retry: Retry = Retry()
    timeout: float = 30.0
    """Seconds that a lease lasts: whoever takes longer loses its effects."""
    coalesce: bool = False
    """Whether a supersedable event is skipped once a newer one of its key waits."""
    queue: str | None = None
    """Celery queue of the wake-ups; None: the default one."""
    batch: bool = False
    """Whether deliveries that were claimed together share a transaction, as long as none of them fails: several times
    as many a second. For short handlers that lock no row which those of other keys lock, too (they could deadlock)."""

    def wants(self, event: Event) -> bool:
        """Whether it gets a delivery of this event."""
        return isinstance(event, self.event_type) and self.source in (None, event.source)


registry: dict[str, Subscription] = {}
"""Every subscription of this process by name."""


def register(subscription: Subscription) -> None:
    """Add a subscription; a name is given away only once."""
    name = subscription.name
    if name in registry:
        raise ValueError(f"subscriber name {name!r} is taken: names are unique, choose another in @subscribe(name=...)")
    if not all(part.isidentifier() for part in name.split(".")) or "." not in name or len(name) > 100:
        raise ValueError(f'subscriber name {name!r}: write it as "app.verb"')
    registry[name] = subscription


def subscribers_of(event: Event) -> list[Subscription]:
    """The subscriptions that get a delivery of this event."""
    return [subscription for subscription in registry.values() if subscription.wants(event)]
