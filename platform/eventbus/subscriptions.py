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

    def wait_for_others(self, waited: timedelta) -> timedelta:
        """A wait for a process that can read what this one can't: at most as long again as it has waited."""
        return timedelta(seconds=_dice.uniform(0, min(self.cap, max(self.base, waited.total_seconds()))))


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """One subscriber: what EventBridge calls a rule with its target."""

    name: str
    """Unique, "app.verb"; also the name of its Celery task."""
    event_type: type[Event]
    handler: Callable[..., Any]
    """`handler(event)`; where it calls out `handler(event, key)`, which gives a function that stores its result."""
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
    on_dead: Callable[[Any], None] | None = None
    """Called with the event in the transaction that marks its delivery dead, by whichever way it dies; may publish.
    See docs/events.md, "When a delivery dies"."""
    outside: bool = False
    """Whether the handler calls out: without a transaction, in threads of its own, one delivery in each claim."""
    slots: int = 4
    """How many of its calls each process that delivers to it has under way at once. Of those that call out only."""

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
    if subscription.outside and (subscription.coalesce or subscription.batch):
        raise ValueError(
            f"subscriber {name!r} calls out: each of its calls is one of its own, so no coalesce, no batch"
        )
    registry[name] = subscription


def subscribers_of(event: Event) -> list[Subscription]:
    """The subscriptions that get a delivery of this event."""
    return [subscription for subscription in registry.values() if subscription.wants(event)]
