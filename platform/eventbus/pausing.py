"""Subscriptions as an operator sees them: what waits for whom, and who has to wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from django.db import transaction
from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Now

from eventbus.models import Delivery, Status, SubscriptionState, aged_from
from eventbus.subscriptions import registry

BEHIND = timedelta(seconds=10)
"""The lag from which a subscriber is said to be behind; with a worker at hand it is a few milliseconds."""


class UnknownSubscriber(LookupError):
    """This code has no subscriber of that name."""

    def __init__(self, name: str) -> None:
        self.name = name
        known = ", ".join(sorted(registry)) or "none"
        super().__init__(f"there is no subscriber {name!r}; known are: {known}")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One subscriber and what waits for it, by the database's clock."""

    name: str
    known: bool
    """False: deliveries wait for a name that this code does not have; nobody will handle them."""
    event_type: str = ""
    source: str = ""
    outside: bool = False
    """Whether it waits for somebody who is not ours, for example a mail server."""
    paused_at: datetime | None = None
    changed_by: str = ""
    ready: int = 0
    leased: int = 0
    overdue: int = 0
    """Leases that ran out: a worker died, or a thread is stuck."""
    dead: int = 0
    lag: timedelta = timedelta(0)
    """How long ago the delivery that waits longest fell due; nothing is due: zero."""
    oldest: timedelta | None = None
    """Age of the oldest undelivered one (`models.aged_from` says from when); None where everything is delivered."""

    @property
    def worrying_age(self) -> timedelta | None:
        """The age that the health check and the metrics go by: `oldest`, but None while the subscriber is paused, for
        then a person wants its deliveries to wait, and None where it waits for the outside world, for that is no reason
        to lead people away from this installation."""
        return None if self.paused_at or self.outside else self.oldest

    @property
    def waits_outside(self) -> bool:
        """Whether what waits does so for somebody who is not ours, and not for a person here who wants it to wait."""
        return self.outside and self.paused_at is None

    @property
    def is_behind(self) -> bool:
        """Whether what is due waits for a worker for too long: none is there, or there is too much to do."""
        return self.known and self.paused_at is None and self.lag >= BEHIND


def standings() -> list[Standing]:
    """Every subscriber of this code by name, and every other name for which deliveries wait or are dead.

    Reads undelivered and dead rows only, however many were delivered.
    """
    waiting = {row["subscriber"]: row for row in _undelivered()}
    dead = dict(
        Delivery.objects.filter(status=Status.DEAD).order_by().values_list("subscriber").annotate(count=Count("pk"))
    )
    states = {state.subscriber: state for state in SubscriptionState.objects.all()}
    return [
        _standing(name, waiting.get(name), dead.get(name, 0), states.get(name))
        for name in sorted(registry.keys() | waiting.keys() | dead.keys())
    ]


class _Waiting(TypedDict):
    subscriber: str
    now: datetime
    ready: int
    leased: int
    overdue: int
    oldest: datetime
    due: datetime | None


def _undelivered() -> list[_Waiting]:
    found = (
        Delivery.objects.undelivered()
        .order_by()
        .values("subscriber")
        .annotate(
            now=Max(Now()),
            ready=Count("pk", filter=Q(status=Status.READY)),
            leased=Count("pk", filter=Q(status=Status.LEASED)),
            oldest=Min(aged_from()),
            overdue=Count("pk", filter=Q(status=Status.LEASED, leased_until__lte=Now())),
            due=Min("due_at", filter=Q(status=Status.READY, due_at__lte=Now())),
        )
    )
    return [_Waiting(**row) for row in found]


def _standing(name: str, waiting: _Waiting | None, dead: int, state: SubscriptionState | None) -> Standing:
    subscription = registry.get(name)
    ready, leased, overdue, lag, oldest = 0, 0, 0, timedelta(0), None
    if waiting is not None:
        ready, leased, overdue = waiting["ready"], waiting["leased"], waiting["overdue"]
        oldest = max(waiting["now"] - waiting["oldest"], timedelta(0))
        lag = waiting["now"] - waiting["due"] if waiting["due"] else lag
    return Standing(
        name=name,
        known=subscription is not None,
        event_type=subscription.event_type.TYPE if subscription else "",
        source=(subscription.source or "") if subscription else "",
        outside=subscription is not None and subscription.outside,
        paused_at=state.paused_at if state else None,
        changed_by=state.changed_by if state else "",
        ready=ready,
        leased=leased,
        overdue=overdue,
        dead=dead,
        lag=lag,
        oldest=oldest,
    )


def pause(name: str, by: str) -> bool:
    """Let nothing more be claimed for the subscriber; what was claimed already is finished. Nothing gets lost: its
    deliveries are made as ever and wait. False where it was paused already. Raises UnknownSubscriber."""
    if name not in registry:
        raise UnknownSubscriber(name)
    SubscriptionState.objects.get_or_create(subscriber=name, defaults={"changed_by": by})
    running = SubscriptionState.objects.filter(subscriber=name, paused_at=None)
    return running.update(paused_at=Now(), changed_at=Now(), changed_by=by[:254]) == 1


@transaction.atomic
def resume(name: str, by: str) -> bool:
    """Let the subscriber go on; the next sweep, within about a second, finds what waits. False where it was not paused.

    The time of the pause does not count towards the maximum age of what waited. Raises UnknownSubscriber; a paused
    name that this code no longer has may be resumed all the same.
    """
    paused = SubscriptionState.objects.filter(subscriber=name, paused_at__isnull=False)
    if paused.update(paused_at=None, changed_at=Now(), changed_by=by[:254]):
        undelivered = Delivery.objects.undelivered().filter(subscriber=name)
        undelivered.exclude(age_from__gt=Now()).update(age_from=Now())
        return True
    if name not in registry:
        raise UnknownSubscriber(name)
    return False
