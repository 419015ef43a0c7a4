"""What django-allauth asks of this project."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as request_context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.httpkit import clean_client_ip, is_headless_request
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import encryption, guessing, known_device, waiting
from accounts.mails import code_minutes
from accounts.waiting import seconds_to_wait
from mailing.posting import NOTICE, post
from securitylog import Kind, note
from throttling.words import in_words

if TYPE_CHECKING:
    from accounts.models import User
    from accounts.signing_up import SignsUp


BEGUN_WITH = "sign_in_begun_with"


def _wait_for_a_code() -> str:
    told = gettext("A code was sent just now. Wait %(wait)s, then send a new one.")
    return told % {"wait": in_words(seconds_to_wait())}


_just_now = lazy(_wait_for_a_code, str)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no annotations
    """Makes people in the way of this project, and writes to them where they find it."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "incorrect_code": _("This code is wrong. Copy it from the newest mail, or send a new one."),
        "rate_limited": _just_now(),
        "email_password_mismatch": _("The email address or the password is wrong."),
        "incorrect_password": _("The password is wrong."),
        "enter_current_password": _("The current password is wrong."),
        "duplicate_email": _("This is your address already."),
        "too_many_login_attempts": _("Too many failed attempts. Wait five minutes, then try again."),
    }

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Let a mail be sent whose links lead to BASE_URL: the host and port of a request are its sender's choice.

        A worker sends it: no page waits for a mail server.
        """
        ours = {
            "current_site": SimpleNamespace(domain=urlsplit(settings.BASE_URL).netloc, name="Plumbline"),
            "signup_url": settings.BASE_URL + reverse("account_signup"),
            "password_reset_url": settings.BASE_URL + reverse("account_reset_password"),
        }
        request = request_context.request  # None in a command, where allauth's own function needs one
        mail = self.render_mail(template_prefix, email, {"request": request, "email": email, **context, **ours})
        post(
            email,
            mail.subject,
            str(mail.body),
            kind=template_prefix.rpartition("/")[2],
            of_use_for=timedelta(minutes=code_minutes()) if "code" in context else NOTICE,
        )

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address from which a person comes: what the last trusted proxy says, else the connection's own.

        A request that passed fewer proxies than TRUSTED_PROXIES did not come by the operator's way: then the header is
        its sender's own, and does not count. Without any, as on a Unix socket, all share one address.
        """
        count = settings.ALLAUTH_TRUSTED_PROXY_COUNT
        forwarded = request.headers.get("X-Forwarded-For", "").split(",") if count else []
        said = clean_client_ip(forwarded[-count]) if len(forwarded) >= count > 0 else None
        return said or clean_client_ip(request.META.get("REMOTE_ADDR", "")) or "0.0.0.0"  # noqa: S104  (nothing listens)

    def is_safe_url(self, url: str) -> bool:
        """Whether a page may lead on to it; what is no address at all is none."""
        try:
            return bool(super().is_safe_url(url))
        except ValueError:
            return False

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether people may sign up by themselves (SIGNUP)."""
        return bool(settings.SIGNUP == "open")

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt; raises TooManyError where there were too many."""
        try:
            self._attempt = guessing.take(request, credentials["email"])
        except guessing.TooManyError:
            self._refuse_for_a_while(request)
            raise

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Whose address and password these are; an attempt that succeeds is not counted."""
        user: User | None = super().authenticate(request, **credentials)
        if user is not None:
            self._attempt.rollback()
            request.password_fits = True  # type: ignore[attr-defined]
        return user

    def _refuse_for_a_while(self, request: HttpRequest) -> None:
        """Answer with 429, and note it once, for what it is."""
        waiting.refuse(request)
        note(Kind.LOCKED_OUT, request)
        request.is_noted = True  # type: ignore[attr-defined]

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        """The error of a form. Limits of allauth's that it tells by one get their status, and are noted."""
        if code == "too_many_login_attempts":
            # Behind the right password it is about the code by mail, of which one is sent in ten seconds.
            if hasattr(request_context.request, "password_fits"):
                code = "rate_limited"
            self._refuse_for_a_while(request_context.request)
        return super().validation_error(code, *args)  # type: ignore[no-any-return]

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """allauth calls it for somebody who has recovered the password."""
        guessing.forget(request, credentials["email"])

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Lead on; a browser knows the address from now on."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        if not is_headless_request(request):
            known_device.remember(request, response, user.email)
        return response

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Remember by what the sign-in was begun: codes may be asked for, and minutes pass, until it is finished."""
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        if response is None:
            request.session[BEGUN_WITH] = user.get_session_auth_hash()
        return response

    def login(self, request: HttpRequest, user: User) -> None:
        """Finish the sign-in, unless since its beginning the person was switched off, or password or factor changed."""
        if not user.is_active:
            raise ImmediateHttpResponse(self.respond_user_inactive(request, user))
        begun_with = request.session.pop(BEGUN_WITH, None)
        if begun_with is not None and not constant_time_compare(begun_with, user.get_session_auth_hash()):
            changed = _("Your password or your second factor was changed while you signed in. Please sign in again.")
            self.add_message(request, messages.WARNING, message=str(changed))
            raise ImmediateHttpResponse(redirect("account_login"))
        super().login(request, user)

    def save_user(self, request: HttpRequest, user: User, form: SignsUp, commit: bool = True) -> User:
        """Save somebody who signs up, together with their organisation; the address is still to be verified."""
        user.email, user.password = form.cleaned_data["email"], form.password_hash
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
