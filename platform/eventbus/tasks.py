"""Subscribing: a handler becomes a subscription and a Celery task of the same name."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any, TypeVar

from celery import shared_task

from contracts import Event
from eventbus.deliveries import drain
from eventbus.subscriptions import Retry, Subscription, register, registry

E = TypeVar("E", bound=Event)


def subscribe(
    event_type: type[E],
    *,
    name: str,
    source: str | None = None,
    retry: Retry | None = None,
    timeout: float = 30.0,
    coalesce: bool = False,
    queue: str | None = None,
    batch: bool = False,
) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Let `handler(event)` be called for every such event, at least once, with exactly one effect.

    The handler runs inside `atomic()`: its effects, what it publishes and "done" commit together;
    `transaction.on_commit` in it runs after. It must not wait for the outside world there. See Subscription for
    the arguments. Raises ValueError for a name that is taken.
    """

    def connect(handler: Callable[[E], None]) -> Callable[[E], None]:
        subscription = Subscription(
            name=name,
            event_type=event_type,
            handler=handler,
            source=source,
            retry=retry or Retry(),
            timeout=timeout,
            coalesce=coalesce,
            queue=queue,
            batch=batch,
        )
        register(subscription)
        _register_task(subscription)
        return handler

    return connect


def _register_task(subscription: Subscription) -> None:
    """Where workers are processes, Celery ends a stuck one; a drain itself stops claiming after half the timeout."""

    def wake(hint: int | None = None) -> None:
        drain(subscription.name, hint)

    task: Callable[[Callable[..., None]], object] = shared_task(
        name=subscription.name, ignore_result=True, time_limit=ceil(2 * subscription.timeout)
    )
    task(wake)


def route(name: str, *args: Any, **kwargs: Any) -> dict[str, str] | None:
    """Celery's router: the wake-ups of a subscriber go to its queue, everything else to the default one."""
    subscription = registry.get(name)
    return {"queue": subscription.queue} if subscription and subscription.queue else None
