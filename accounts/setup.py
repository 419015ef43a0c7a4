"""The one-time link that makes the first administrator: there is no default password anywhere."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import Enum, auto

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organisation, SetupLink, User
from securitylog import Kind, note, operator


class LinkState(Enum):
    """What the holder of a link is told; who has none of ours learns nothing."""

    OPEN = auto()
    USED = auto()  # there is an administrator
    REPLACED = auto()  # a newer link was made
    EXPIRED = auto()  # nobody used it in time
    UNKNOWN = auto()


class SetupLinkUsedError(Exception):
    """The link was never made, was replaced by a newer one, is too old, or has already made its administrator."""


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _oldest() -> datetime:
    """When a link must have been made to work still (SETUP_LINK_HOURS)."""
    return timezone.now() - timedelta(hours=settings.SETUP_LINK_HOURS)


def _administrator_exists() -> bool:
    return User.objects.filter(is_superuser=True, is_active=True).exists()


@transaction.atomic
def create_setup_link() -> str | None:
    """The path of a fresh link, or None where an administrator exists. Older unused links stop working."""
    if _administrator_exists():
        return None
    token = secrets.token_urlsafe(32)
    SetupLink.objects.filter(used_at=None).update(used_at=timezone.now())
    SetupLink.objects.create(digest=_digest(token))
    note(Kind.SETUP_LINK_MADE, by=operator())
    return reverse("account_setup", args=[token])


def state_of(token: str) -> LinkState:
    """Whether the link can still make an administrator, and if not, why."""
    link = SetupLink.objects.filter(digest=_digest(token)).first()
    if link is None:
        return LinkState.UNKNOWN
    if _administrator_exists():
        return LinkState.USED
    if link.used_at is not None:
        return LinkState.REPLACED
    return LinkState.OPEN if link.created_at > _oldest() else LinkState.EXPIRED


@transaction.atomic
def use(token: str, *, email: str, password: str, organisation: str) -> User:
    """Make the administrator; raises SetupLinkUsedError, and makes nobody, for a link that is not open."""
    # The update takes the row, so that of two simultaneous uses one finds nothing left.
    fresh = SetupLink.objects.filter(digest=_digest(token), used_at=None, created_at__gt=_oldest())
    taken = fresh.update(used_at=timezone.now())
    if not taken or _administrator_exists():
        raise SetupLinkUsedError
    home = Organisation.objects.create(name=organisation)
    return User.objects.create_superuser(email, password, organisation=home)
