"""Claiming deliveries: what a worker has leased is its own until the lease runs out, and no longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from eventbus import statements
from eventbus.models import Delivery, DeliveryQuerySet
from eventbus.statements import ClaimedRow
from eventbus.subscriptions import Subscription

BATCH = 50
"""How many due deliveries a claim takes besides the hinted one."""


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


def looked_at_again(leases: Sequence[Lease]) -> list[Lease]:
    """The same leases of one subscriber: each knows of the newer events that came since it was claimed."""
    if not leases or not leases[0].subscription.coalesce:
        return [*leases]
    newest = statements.superseded_by([lease.delivery.id for lease in leases])
    return [
        replace(lease, delivery=lease.delivery._replace(superseded_by=newest.get(lease.delivery.id)))
        for lease in leases
    ]
