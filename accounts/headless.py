"""What native clients get by JSON: allauth's answers, with addresses read as on the pages, and what it lacks."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.email_verification_by_code import EmailVerificationProcess
from allauth.account.internal.flows.signup import complete_signup
from allauth.headless.account import inputs
from allauth.headless.account import views as account_views
from allauth.headless.account.response import PasswordResetKeyResponse
from allauth.headless.base.response import (
    AuthenticationResponse,
    ConflictResponse,
    ForbiddenResponse,
    RateLimitResponse,
)
from allauth.headless.internal.restkit.response import ErrorResponse
from allauth.headless.mfa import views
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts import mails
from accounts.adapter import UnreadableSecretError
from accounts.addresses import normalised
from accounts.fields import TakesAddresses, TakesPasswords
from accounts.models import User
from accounts.people import RecoversAlike
from accounts.signing_up import SignsUp, may_send_a_code


# allauth has no annotations, so to mypy its forms and views are of any type.
class _SignUpInput(SignsUp, TakesAddresses, TakesPasswords, inputs.SignupInput):  # type: ignore[misc]
    password_field = "password"  # noqa: S105  (a name)

    def clean_password(self) -> Any:
        """As on the page: against the address, too, which is read before it."""
        person = User(email=self.cleaned_data.get("email", ""))
        return get_adapter().clean_password(self.cleaned_data["password"], user=person)


class _LogInInput(TakesAddresses, TakesPasswords, inputs.LoginInput):  # type: ignore[misc]
    pass


class _RecoverPasswordInput(RecoversAlike, TakesAddresses, inputs.RequestPasswordResetInput):  # type: ignore[misc]
    pass


class _ResetPasswordInput(TakesPasswords, inputs.ResetPasswordInput):  # type: ignore[misc]
    def clean(self) -> Any:
        """Say something about the password only to somebody who has the code: its rules know the person's name."""
        return self.cleaned_data if "key" in self.errors else super().clean()


class _ChangePasswordInput(TakesPasswords, inputs.ChangePasswordInput):  # type: ignore[misc]
    pass


class _AddAddressInput(TakesAddresses, inputs.AddEmailInput):  # type: ignore[misc]
    pass


class _ChosenAddress:
    """One of the person's addresses, as it is kept."""

    cleaned_data: dict[str, Any]

    def clean_email(self) -> Any:
        self.cleaned_data["email"] = normalised(self.cleaned_data["email"])
        return super().clean_email()  # type: ignore[misc]


class _SendAgainInput(_ChosenAddress, inputs.ResendEmailVerificationInput):  # type: ignore[misc]
    pass


class _RemoveAddressInput(_ChosenAddress, inputs.DeleteEmailInput):  # type: ignore[misc]
    pass


class _MakePrimaryInput(_ChosenAddress, inputs.MarkAsPrimaryEmailInput):  # type: ignore[misc]
    pass


class SignUp(account_views.SignupView):  # type: ignore[misc]
    """Make a person."""

    input_class: ClassVar[dict[str, Any]] = {"POST": _SignUpInput}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """All in one transaction, for known and unknown addresses; a refusal by a limit comes before it."""
        if request.user.is_authenticated:
            return ConflictResponse(request)  # type: ignore[no-any-return]
        if not get_adapter().is_open_for_signup(request):
            return ForbiddenResponse(request)  # type: ignore[no-any-return]
        if not may_send_a_code(request, self.input.cleaned_data["email"]):
            return RateLimitResponse(request)  # type: ignore[no-any-return]
        with transaction.atomic():
            user, response = self.input.try_save(request)
            response = response or complete_signup(request, user=user)
            return AuthenticationResponse.from_response(request, response)  # type: ignore[no-any-return]


class LogIn(account_views.LoginView):  # type: ignore[misc]
    """Log in by address and password."""

    input_class = _LogInInput


class RecoverPassword(account_views.RequestPasswordResetView):  # type: ignore[misc]
    """Send a code to set a new password; asked again, a new one."""

    input_class = _RecoverPasswordInput


class ResetPassword(account_views.ResetPasswordView):  # type: ignore[misc]
    """Take the code and a new password."""

    input_class = _ResetPasswordInput

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Whether the code of the header is right; wrong ones count for unknown addresses, too."""
        code = {"key": request.headers.get("X-Password-Reset-Key", "")}
        checked = inputs.ResetPasswordKeyInput(code, code=self.process.code)
        if not checked.is_valid():
            self.process.record_invalid_attempt()
            return ErrorResponse(request, input=checked)  # type: ignore[no-any-return]
        self.process.confirm_code()
        return PasswordResetKeyResponse(request, self.process.user)  # type: ignore[no-any-return]


class ChangePassword(account_views.ChangePasswordView):  # type: ignore[misc]
    """Take the current password and a new one."""

    input_class = _ChangePasswordInput


class SendCodeAgain(account_views.ResendEmailVerificationCodeView):  # type: ignore[misc]
    """Send another code that confirms an address."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().post(request, *args, **kwargs)
        if response.status_code == HTTPStatus.OK:
            process = EmailVerificationProcess.resume(request)
            mails.restart_the_clock(process)
            mails.tell_again(process)
        return response


class Addresses(account_views.ManageEmailView):  # type: ignore[misc]
    """The person's address, and the one that waits for its code."""

    input_class: ClassVar[dict[str, Any]] = {
        "POST": _AddAddressInput,
        "PUT": _SendAgainInput,
        "DELETE": _RemoveAddressInput,
        "PATCH": _MakePrimaryInput,
    }

    def put(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send another code."""
        response: HttpResponseBase = super().put(request, *args, **kwargs)
        if response.status_code == HTTPStatus.OK and self.input.process:
            mails.restart_the_clock(self.input.process)
        return response


class _Readable:
    """Answers 409 with the reason where a secret can't be read any more."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        except UnreadableSecretError as error:
            return ErrorResponse(request, status=HTTPStatus.CONFLICT, exception=error)  # type: ignore[no-any-return]
        return response


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


sign_up = SignUp.as_api_view(client="app")
log_in = LogIn.as_api_view(client="app")
recover_password = RecoverPassword.as_api_view(client="app")
reset_password = ResetPassword.as_api_view(client="app")
change_password = ChangePassword.as_api_view(client="app")
send_code_again = SendCodeAgain.as_api_view(client="app")
addresses = Addresses.as_api_view(client="app")
authenticators = Authenticators.as_api_view(client="app")
recovery_codes = RecoveryCodes.as_api_view(client="app")
authenticator_app = AuthenticatorApp.as_api_view(client="app")
