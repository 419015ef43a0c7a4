"""The plain alternative, as Celery's documentation recommends it: a task per subscriber, sent after the commit.

Late acknowledgement, rejection when a worker is lost, retries with back-off and jitter; the event as JSON is the
argument. There is no outbox: what the broker loses is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from typing import Any, TypeVar
from uuid import uuid4

from celery import shared_task
from django.db import transaction

from contracts import Event
from eventbus import context
from eventbus.context import caused_by
from eventbus.signals import published
from eventbus.subscriptions import Retry

E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Subscriber:
    """Who wants an event, and the Celery task that brings it."""

    event_type: type[Event]
    source: str | None
    queue: str | None
    task: Any

    def wants(self, event: Event) -> bool:
        """Whether the event is for it."""
        return isinstance(event, self.event_type) and self.source in (None, event.source)


subscribers: dict[str, Subscriber] = {}


def publish(event: Event) -> None:
    """Send the event to each subscriber's task once the transaction has committed."""
    correlation_id = event.correlation_id or context.correlation_id.get() or uuid4()
    event = replace(event, correlation_id=correlation_id, causation_id=context.causation_id.get())
    document = event.to_cloudevent()
    published.send(sender=type(event), event=event, wakeups=[])  # for the failpoint: its hook comes first here, too
    for subscriber in subscribers.values():
        if subscriber.wants(event):
            subscriber.task.delay_on_commit(document)


def subscribe(
    event_type: type[E],
    *,
    name: str,
    source: str | None = None,
    retry: Retry | None = None,
    timeout: float = 30.0,
    coalesce: bool = False,
    queue: str | None = None,
    on_dead: object = None,
    outside: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Take the arguments of `eventbus.subscribe`. Coalescing is unknown here; nobody is told of what is given up."""

    def connect(handler: Callable[..., Any]) -> Callable[..., Any]:
        def run(document: dict[str, Any]) -> None:
            event = event_type.from_cloudevent(document)
            with caused_by(event):
                store = handler(event, str(event.id)) if outside else partial(handler, event)
                with transaction.atomic():
                    if store is not None:
                        store()

        decorate: Callable[[Callable[..., None]], object] = shared_task(
            name=name,
            acks_late=True,
            reject_on_worker_lost=True,
            autoretry_for=(Exception,),
            retry_backoff=True,
            retry_jitter=True,
            max_retries=(retry or Retry()).max_attempts,
            time_limit=ceil(2 * timeout),
        )
        subscribers[name] = Subscriber(event_type, source, queue, decorate(run))
        return handler

    return connect


def route(name: str, *args: Any, **kwargs: Any) -> dict[str, str] | None:
    """Each subscriber's queue, as in the product."""
    subscriber = subscribers.get(name)
    return {"queue": subscriber.queue} if subscriber and subscriber.queue else None
