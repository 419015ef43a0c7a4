"""The second factor for native clients: allauth's answers, and two that it does not have."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from allauth.headless.base.response import ConflictResponse
from allauth.headless.internal.restkit.response import ErrorResponse
from allauth.headless.mfa import views
from django.db import IntegrityError
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.adapter import UnreadableSecretError


class _Readable:
    """Answers 409 with the reason where a secret can't be read any more."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        except UnreadableSecretError as error:
            return ErrorResponse(request, status=HTTPStatus.CONFLICT, exception=error)  # type: ignore[no-any-return]
        return response


# allauth has no annotations, so to mypy its views are of any type.
class Authenticators(_Readable, views.AuthenticatorsView):  # type: ignore[misc]
    """All that the person has."""


class RecoveryCodes(_Readable, views.ManageRecoveryCodesView):  # type: ignore[misc]
    """Show them, make new ones."""


class AuthenticatorApp(views.ManageTOTPView):  # type: ignore[misc]
    """Switch it on and off."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Switch it on; 409 where another request just did."""
        try:
            response: HttpResponseBase = super().post(request, *args, **kwargs)
        except IntegrityError:
            return ConflictResponse(request)  # type: ignore[no-any-return]
        return response


authenticators = Authenticators.as_api_view(client="app")
recovery_codes = RecoveryCodes.as_api_view(client="app")
authenticator_app = AuthenticatorApp.as_api_view(client="app")
