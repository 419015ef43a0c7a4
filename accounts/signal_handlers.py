"""What follows when allauth tells of a second factor that was switched on, used or switched off."""

from __future__ import annotations

import logging
from typing import Any

from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.http import HttpRequest

from accounts import second_factor
from accounts.models import User

log = logging.getLogger(__name__)


def connect() -> None:
    """Listen."""
    signals.authenticator_added.connect(end_sessions_from_before_it)
    signals.authenticator_removed.connect(end_sessions_from_before_it)
    signals.authenticator_used.connect(note_a_recovery_code)
    signals.authentication_failed.connect(note_a_wrong_code)


def end_sessions_from_before_it(request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """Who got in with the password alone, or by a factor that is gone, has to sign in anew."""
    if authenticator.type != Authenticator.Type.TOTP:
        return
    second_factor.end_other_sessions(request, user)
    state = "off" if kwargs["signal"] is signals.authenticator_removed else "on"
    log.info("second factor of %s switched %s", user.pk, state)


def note_a_recovery_code(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """They are few, and somebody else may have found them."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        log.warning("%s used a recovery code", user.pk)


def note_a_wrong_code(user: User, **kwargs: Any) -> None:
    """Whoever comes so far knows the password."""
    log.warning("wrong code of the second factor of %s", user.pk)
