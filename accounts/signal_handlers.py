"""What follows when allauth tells of a second factor that was switched on or off."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account_signals
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from accounts import open_sessions, second_factor
from accounts.models import User


def connect() -> None:
    """Listen."""
    user_logged_in.connect(note_the_session)
    account_signals.authentication_step_completed.connect(renew_the_key)
    signals.authenticator_added.connect(end_sessions_from_before_it)
    signals.authenticator_removed.connect(end_sessions_from_before_it)


def note_the_session(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """The person finds it in the list of their sessions."""
    open_sessions.begin(request, user)


def renew_the_key(request: HttpRequest, **kwargs: Any) -> None:
    """Somebody has shown once more that it is they: a key that leaked before must not get what follows from that."""
    if kwargs.get("reauthenticated"):
        request.session.cycle_key()


def end_sessions_from_before_it(request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """A person who got in with the password alone, or by a factor that is gone, has to sign in again."""
    if authenticator.type == Authenticator.Type.TOTP:
        second_factor.end_other_sessions(request, user)
