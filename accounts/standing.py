"""What a person belongs to, for connections that outlive the request in which it was checked."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser

from accounts.models import Membership


def standing_of(user: AbstractBaseUser) -> frozenset[UUID]:
    """The organisations of a person. Who holds a connection open closes it when this changes."""
    return frozenset(Membership.objects.filter(user_id=user.pk).values_list("organisation_id", flat=True))
