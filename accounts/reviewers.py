"""Reviewers: staff who see in the administration what belongs to the organisations given to them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet

from accounts.models import Membership, User


def given_to(user: User) -> QuerySet[Any] | None:
    """Ids of the organisations that a superuser gave to this person; None for a superuser, who sees all."""
    if user.is_superuser:
        return None
    return user.reviewed.order_by().values("pk")


def seen_by(user: User, people: QuerySet[User]) -> QuerySet[User]:
    """Those of the people who belong to an organisation that was given to this person."""
    given = given_to(user)
    if given is None:
        return people
    return people.filter(pk__in=Membership.objects.filter(organisation__in=given).values("user"))


def may_change(user: User, person: User) -> bool:
    """Whether `user` may change, sign out or delete the person.

    Somebody who sets a password or an address can sign in as that person. So the person may have no right, and reach no
    organisation, that `user` does not have. Rights of somebody who was deactivated count: they can be activated again.
    """
    if user.is_superuser or user.pk == person.pk:
        return True
    return not person.is_superuser and _rights(person) <= _rights(user) and _reach(person) <= _given(user)


def _rights(person: User) -> set[int]:
    held = Permission.objects.filter(Q(user=person) | Q(group__user=person))
    return set(held.order_by().values_list("pk", flat=True))


def _given(person: User) -> set[Any]:
    return set(person.reviewed.order_by().values_list("pk", flat=True))


def _reach(person: User) -> set[Any]:
    return _given(person) | set(person.memberships.values_list("organisation", flat=True))
