"""The one-time link that makes the first administrator: there is no default password anywhere."""

from __future__ import annotations

import hashlib
import secrets

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organisation, SetupLink, User


class SetupLinkUsedError(Exception):
    """The link was never made, was replaced by a newer one, or has already made its administrator."""


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _administrator_exists() -> bool:
    return User.objects.filter(is_superuser=True, is_active=True).exists()


@transaction.atomic
def create_setup_link() -> str | None:
    """The path of a fresh link, or None where an administrator exists. Older unused links stop working."""
    if _administrator_exists():
        return None
    token = secrets.token_urlsafe(32)
    SetupLink.objects.filter(used_at=None).delete()
    SetupLink.objects.create(digest=_digest(token))
    return reverse("account_setup", args=[token])


def is_open(token: str) -> bool:
    """Whether the link can still make an administrator."""
    return SetupLink.objects.filter(digest=_digest(token), used_at=None).exists() and not _administrator_exists()


@transaction.atomic
def use(token: str, *, email: str, password: str, organisation: str) -> User:
    """Make the administrator; raises SetupLinkUsedError, and makes nobody, for a link that is not open."""
    # The update takes the row, so that of two simultaneous uses one finds nothing left.
    taken = SetupLink.objects.filter(digest=_digest(token), used_at=None).update(used_at=timezone.now())
    if not taken or _administrator_exists():
        raise SetupLinkUsedError
    home = Organisation.objects.create(name=organisation)
    return User.objects.create_superuser(email, password, organisation=home)
