"""What django-allauth asks of this project."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as request_context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from accounts import encryption

if TYPE_CHECKING:
    from accounts.forms import SignupForm
    from accounts.models import User


_BEGUN_WITH = "sign_in_begun_with"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no annotations
    """Makes people in the way of this project, and writes to them where they find it."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail whose links lead to BASE_URL: the host and port of a request are its sender's choice."""
        ours = {
            "current_site": SimpleNamespace(domain=urlsplit(settings.BASE_URL).netloc, name="Plumbline"),
            "signup_url": settings.BASE_URL + reverse("account_signup"),
            "password_reset_url": settings.BASE_URL + reverse("account_reset_password"),
        }
        request = request_context.request  # None in a command, where allauth's own function needs one
        self.render_mail(template_prefix, email, {"request": request, "email": email, **context, **ours}).send()

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether people may sign up by themselves (SIGNUP)."""
        return bool(settings.SIGNUP == "open")

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Remember by what the sign-in was begun: codes may be asked for, and minutes pass, until it is finished."""
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        if response is None:
            request.session[_BEGUN_WITH] = user.get_session_auth_hash()
        return response

    def login(self, request: HttpRequest, user: User) -> None:
        """Finish the sign-in, unless the person was switched off, or password or second factor changed, meanwhile."""
        if not user.is_active:
            raise ImmediateHttpResponse(self.respond_user_inactive(request, user))
        begun_with = request.session.pop(_BEGUN_WITH, None)
        if begun_with is not None and not constant_time_compare(begun_with, user.get_session_auth_hash()):
            changed = _("Your password or your second factor was changed meanwhile. Please sign in again.")
            self.add_message(request, messages.WARNING, message=str(changed))
            raise ImmediateHttpResponse(redirect("account_login"))
        super().login(request, user)

    def save_user(self, request: HttpRequest, user: User, form: SignupForm, commit: bool = True) -> User:
        """Save somebody who signs up, together with their organisation; the address is still to be verified."""
        super().save_user(request, user, form, commit=False)
        # The JSON form of native clients asks for neither.
        user.name = form.cleaned_data.get("name", "")
        if commit:
            with transaction.atomic():
                user.save()
                user.found_organisation(form.cleaned_data.get("organisation", ""))
        return user


class UnreadableSecretError(ValidationError):
    """A second factor whose secret no key of this installation opens; the message says what a person can do."""


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no annotations
    """Keeps secrets encrypted, and names this installation in people's apps."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _(
            "This code is wrong or has expired. Apps show a new one every 30 seconds, and each works once."
        ),
        "unverified_email": _("Confirm your email address first."),
    }

    def get_totp_issuer(self) -> str:
        """What stands above the code in an app; people may have accounts on several installations."""
        return f"Plumbline ({urlsplit(settings.BASE_URL).hostname})"

    def encrypt(self, text: str) -> str:
        """Encrypt a secret for the database."""
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Read a secret back; raises UnreadableSecretError."""
        try:
            return encryption.decrypt(encrypted_text)
        except encryption.UnreadableError as error:
            message = _("Your second factor can no longer be checked. Ask an administrator to switch it off.")
            raise UnreadableSecretError(message, code="unreadable_secret") from error
