"""What Django and allauth tell of people goes into the security log."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account_signals
from allauth.account.adapter import get_adapter
from allauth.core import context as request_context
from allauth.mfa import signals as factor_signals
from allauth.mfa.models import Authenticator
from django.contrib.auth import signals as auth_signals
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest

from accounts.models import User
from securitylog import Kind, log, note

_UID = "accounts.security_events"


def connect() -> None:
    """Listen."""
    log.address_of = _address_of
    auth_signals.user_logged_in.connect(_signed_in, dispatch_uid=_UID)
    auth_signals.user_logged_out.connect(_signed_out, dispatch_uid=_UID)
    auth_signals.user_login_failed.connect(_password_was_wrong, dispatch_uid=_UID)
    account_signals.user_signed_up.connect(_signed_up, dispatch_uid=_UID)
    account_signals.password_changed.connect(_password_changed, dispatch_uid=_UID)
    account_signals.password_set.connect(_password_changed, dispatch_uid=_UID)
    account_signals.password_reset.connect(_password_reset, dispatch_uid=_UID)
    account_signals.email_changed.connect(_address_changed, dispatch_uid=_UID)
    account_signals.password_reset_code_rejected.connect(_code_was_wrong, dispatch_uid=_UID)
    account_signals.email_verification_code_rejected.connect(_code_was_wrong, dispatch_uid=_UID)
    factor_signals.authentication_failed.connect(_factor_was_wrong, dispatch_uid=_UID)
    factor_signals.authenticator_added.connect(_factor_added, dispatch_uid=_UID)
    factor_signals.authenticator_removed.connect(_factor_removed, dispatch_uid=_UID)
    factor_signals.authenticator_reset.connect(_recovery_codes_made, dispatch_uid=_UID)
    factor_signals.authenticator_used.connect(_factor_used, dispatch_uid=_UID)


def _address_of(request: HttpRequest) -> str | None:
    """As the limits on guessing take it: from the operator's own proxies, or from the connection."""
    try:
        return str(get_adapter().get_client_ip(request))
    except (PermissionDenied, ImproperlyConfigured):
        return None


def _signed_in(request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    note(Kind.SIGNED_IN, request, person=user.pk)


def _signed_out(request: HttpRequest | None, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        note(Kind.SIGNED_OUT, request, person=user.pk)


def _password_was_wrong(credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    """The one statement is made for a known and an unknown address alike, so that neither takes longer."""
    request = request or request_context.request
    email = credentials.get("email") or credentials.get("username") or ""
    person = User.objects.filter(email=email).values_list("pk", flat=True).first()
    is_signed_in = request is not None and hasattr(request, "user") and request.user.is_authenticated
    note(Kind.CONFIRMATION_FAILED if is_signed_in else Kind.SIGN_IN_FAILED, request, person=person or "unknown")


def _signed_up(request: HttpRequest, user: User, **kwargs: Any) -> None:
    note(Kind.SIGNED_UP, request, person=user.pk)


def _password_changed(request: HttpRequest, user: User, **kwargs: Any) -> None:
    note(Kind.PASSWORD_CHANGED, request, person=user.pk, by=user.pk)


def _password_reset(request: HttpRequest, user: User, **kwargs: Any) -> None:
    note(Kind.PASSWORD_RESET, request, person=user.pk)


def _address_changed(request: HttpRequest, user: User, **kwargs: Any) -> None:
    note(Kind.ADDRESS_CHANGED, request, person=user.pk, by=user.pk)


def _code_was_wrong(request: HttpRequest, user: User | None = None, **kwargs: Any) -> None:
    reset = kwargs["signal"] is account_signals.password_reset_code_rejected
    note(Kind.WRONG_CODE, request, person=user.pk if user else "unknown", of="reset" if reset else "address")


def _factor_was_wrong(request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    note(Kind.WRONG_CODE, request, person=user.pk, of="second_factor")


def _factor_added(request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    is_codes = authenticator.type == Authenticator.Type.RECOVERY_CODES
    note(Kind.RECOVERY_CODES_MADE if is_codes else Kind.SECOND_FACTOR_ON, request, person=user.pk, by=user.pk)


def _factor_removed(request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        note(Kind.SECOND_FACTOR_OFF, request, person=user.pk, by=user.pk)


def _recovery_codes_made(request: HttpRequest, user: User, **kwargs: Any) -> None:
    note(Kind.RECOVERY_CODES_MADE, request, person=user.pk, by=user.pk)


def _factor_used(request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """They are few, and somebody else may have found them."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        note(Kind.RECOVERY_CODE_USED, request, person=user.pk)
