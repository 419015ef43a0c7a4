"""Subscribing: a handler becomes a subscription and a Celery task of the same name."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any, Literal, TypeVar, overload

from celery import shared_task

from contracts import Event
from eventbus import callers, solo
from eventbus.subscriptions import Retry, Subscription, register, registry

E = TypeVar("E", bound=Event)
Finish = Callable[[], object]
"""Stores the result of a call, in the transaction that ends its delivery."""


@overload
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
    on_dead: Callable[[E], None] | None = None,
) -> Callable[[Callable[[E], None]], Callable[[E], None]]: ...


@overload
def subscribe(
    event_type: type[E],
    *,
    name: str,
    outside: Literal[True],
    slots: int = 4,
    source: str | None = None,
    retry: Retry | None = None,
    timeout: float = 30.0,
    queue: str | None = None,
    on_dead: Callable[[E], None] | None = None,
) -> Callable[[Callable[[E, str], Finish | None]], Callable[[E, str], Finish | None]]: ...


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
    on_dead: Callable[[E], None] | None = None,
    outside: bool = False,
    slots: int = 4,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let `handler(event)` be called for every such event, at least once, with exactly one effect.

    The handler runs inside `atomic()`: its effects, what it publishes and "done" commit together;
    `transaction.on_commit` in it runs after. It must not wait for the outside world there. See Subscription for
    the arguments. Raises ValueError for a name that is taken.

    `on_dead(event)` is called where a delivery is given up, by whichever way: its effects, what it publishes and the
    mark "dead" commit together. It is called again where that did not commit, and once more where the delivery is
    redriven and dies again. docs/events.md says what happens when it fails.

    With `outside=True` it is `handler(event, key)`, called without a transaction and in threads of its own: it may wait
    for the outside world. It gives a function that stores the result and may publish, or None. That function, the
    follow-ups and "done" commit together. Called at least once; `key` is the same for each try: hand it on.
    """

    def connect(handler: Callable[..., Any]) -> Callable[..., Any]:
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
            on_dead=on_dead,
            outside=outside,
            slots=slots,
        )
        register(subscription)
        _register_task(subscription)
        return handler

    return connect


def _register_task(subscription: Subscription) -> None:
    """Where workers are processes, Celery ends a stuck one; a drain itself stops claiming after half the timeout."""

    def wake(hint: int | None = None) -> None:
        if subscription.outside:
            callers.ring(subscription.name)
        else:
            # A message comes from outside of the process: one with another hint wakes up all the same.
            solo.answer(subscription.name, hint if isinstance(hint, int) else None)

    task: Callable[[Callable[..., None]], object] = shared_task(
        name=subscription.name, ignore_result=True, time_limit=ceil(2 * subscription.timeout)
    )
    task(wake)


def route(name: str, *args: Any, **kwargs: Any) -> dict[str, str] | None:
    """Celery's router: the wake-ups of a subscriber go to its queue, everything else to the default one."""
    subscription = registry.get(name)
    return {"queue": subscription.queue} if subscription and subscription.queue else None
