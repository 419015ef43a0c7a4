"""Whether somebody in the administration has shown lately that it is they: a browser that was left open is nobody's."""

from __future__ import annotations

import time
from typing import cast

from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.http import HttpRequest

from accounts.models import User
from accounts.sessions import BEGAN

_USED = "administration_used"
_NOTED_EVERY = 60


def is_idle(request: HttpRequest) -> bool:
    """Whether the administration was last used, or entered by a proof, more than ADMIN_IDLE_MINUTES ago."""
    return time.time() - _used_at(request) > settings.ADMIN_IDLE_MINUTES * 60


def is_confirmed(request: HttpRequest) -> bool:
    """Whether the person has signed in, or entered password or code once more, in the last ADMIN_CONFIRM_MINUTES."""
    return time.time() - _proved_at(request) <= settings.ADMIN_CONFIRM_MINUTES * 60


def note_use(request: HttpRequest) -> None:
    """Remember that the administration is in use, at most once a minute."""
    if time.time() - _used_at(request) > _NOTED_EVERY:
        request.session[_USED] = time.time()


def _used_at(request: HttpRequest) -> float:
    return max(_proved_at(request), float(request.session.get(_USED, 0.0)))


def _proved_at(request: HttpRequest) -> float:
    again: list[float] = [each["at"] for each in get_authentication_records(request, cast(User, request.user))]
    return max([float(request.session.get(BEGAN, 0.0)), *again])
