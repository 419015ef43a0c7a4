"""Signing up does the same work for an address that somebody has already as for a new one: what takes longer, or writes
less, would tell a stranger who is here."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.email_verification import consume_email_verification_rate_limit
from allauth.account.internal.flows.signup import prevent_enumeration
from allauth.account.models import EmailAddress
from allauth.account.utils import setup_user_email
from django import forms
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string

from accounts import hashers
from accounts.adapter import BEGUN_WITH
from accounts.models import User


class SignsUp(forms.Form):
    """For both forms of allauth's, the page's and that of native clients."""

    password_hash = ""
    password_field = "password1"  # noqa: S105  (a name)
    account_already_exists: bool

    def clean(self) -> dict[str, Any]:
        """Hash the password before the transaction, so that nobody waits for it, and for known addresses, too."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            self.password_hash = hashers.make(cleaned[self.password_field])
        return cleaned

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Make the person; for a known address do as much, and answer as if it were new.

        Where another request was first, as after a double click, the address is known.
        """
        if not self.account_already_exists:
            user: User = get_adapter().new_user(request)
            try:
                with transaction.atomic():
                    return self._make(request, user), None
            except IntegrityError:
                self.account_already_exists = True
        self._pretend(request)
        return None, prevent_enumeration(request, email=self.cleaned_data["email"])

    def _make(self, request: HttpRequest, user: User) -> User:
        get_adapter().save_user(request, user, self)
        setup_user_email(request, user, [])
        return user

    def _pretend(self, request: HttpRequest) -> None:
        """Make somebody with an address of nobody's, and take them back."""
        given = self.cleaned_data
        self.cleaned_data = {**given, "email": f"{uuid4().hex}@nobody.invalid"}
        try:
            with transaction.atomic():
                _look_up(self._make(request, User()))
                transaction.set_rollback(True)
        finally:
            self.cleaned_data = given
        # The session of a new person holds as much.
        request.session[BEGUN_WITH] = get_random_string(64)


def _look_up(user: User) -> None:
    """The look-ups with which allauth decides that a new person's address is to be confirmed."""
    addresses = EmailAddress.objects.filter(user=user)
    addresses.filter(verified=True).exists()
    addresses.order_by("-primary", "-verified").first()
    User.objects.filter(pk=user.pk).first()
    addresses.filter(email=user.email).first()


def may_send_a_code(request: HttpRequest, email: str) -> bool:
    """Whether a code may be sent to the address now; asked before anything is made, for known and unknown addresses."""
    return bool(consume_email_verification_rate_limit(request, email, dry_run=True))
