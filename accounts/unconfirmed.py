"""Sign-ups whose address nobody confirms go away again: anybody can make them, with anybody's address."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Count, Exists, OuterRef, ProtectedError, QuerySet
from django.utils import timezone

from accounts.models import Membership, Organisation, User
from eventbus.signals import swept
from securitylog import Kind, note

BATCH = 100
EVERY = 600.0
"""Seconds between two rounds of a process. The first comes that long after its start."""


class _Turn:
    """Whether it is time for a round; of several threads that ask, one is told to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = time.monotonic() + EVERY

    def take(self) -> bool:
        with self._lock:
            if time.monotonic() < self._next:
                return False
            self._next = time.monotonic() + EVERY
            return True


_turn = _Turn()


def connect() -> None:
    """Let each sweeper look now and then."""
    swept.connect(_after_sweep, dispatch_uid="accounts.unconfirmed")


def _after_sweep(**kwargs: Any) -> None:
    """A database that is away costs nothing but this round."""
    if _turn.take():
        try:
            forget()
        except DatabaseError:
            return


def forget() -> int:
    """Remove sign-ups that are older than UNCONFIRMED_DAYS, at most BATCH of them; gives how many. 0 days: none.

    A sign-up is somebody whose address was never confirmed and who never came in. One that somebody made a colleague of
    others stays. A person who confirms at the same moment stays, too: both take the row of the address.
    """
    if not settings.UNCONFIRMED_DAYS:
        return 0
    with transaction.atomic():
        people = list(_old_sign_ups()[:BATCH])
        waiting = EmailAddress.objects.select_for_update().filter(user__in=people, verified=False)
        still = set(waiting.values_list("user_id", flat=True))
        goes = [person for person in people if person.pk in still]
        for person in goes:
            _remove(person)
    return len(goes)


def _old_sign_ups() -> QuerySet[User]:
    addresses = EmailAddress.objects.filter(user=OuterRef("pk"))
    colleagues = (
        Membership.objects.filter(organisation__memberships__user=OuterRef("pk"))
        .exclude(user=OuterRef("pk"))
        .values("pk")
    )
    return (
        User.objects.filter(
            date_joined__lt=timezone.now() - timedelta(days=settings.UNCONFIRMED_DAYS),
            last_login=None,
            is_staff=False,
            is_superuser=False,
        )
        .filter(Exists(addresses), ~Exists(addresses.filter(verified=True)), ~Exists(colleagues))
        .order_by("date_joined")
    )


def _remove(person: User) -> None:
    """Remove the person, and each organisation that is empty without them; one that holds anything stays."""
    homes = list(person.memberships.values_list("organisation_id", flat=True))
    person_id = person.pk
    person.delete()
    note(Kind.SIGN_UP_FORGOTTEN, person=person_id)
    empty = Organisation.objects.filter(pk__in=homes).alias(left=Count("memberships")).filter(left=0)
    for organisation in empty:
        try:
            with transaction.atomic():
                organisation.delete()
        except ProtectedError:
            continue
