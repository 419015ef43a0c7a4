"""What django-allauth asks of this project."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

if TYPE_CHECKING:
    from accounts.forms import SignupForm
    from accounts.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no annotations
    """Makes people in the way of this project, and writes to them where they find it."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail whose links lead to BASE_URL: the host and port of a request are its sender's choice."""
        ours = {
            "current_site": SimpleNamespace(domain=urlsplit(settings.BASE_URL).netloc, name="Plumbline"),
            "signup_url": settings.BASE_URL + reverse("account_signup"),
            "password_reset_url": settings.BASE_URL + reverse("account_reset_password"),
        }
        super().send_mail(template_prefix, email, {**context, **ours})

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether people may sign up by themselves (SIGNUP)."""
        return bool(settings.SIGNUP == "open")

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
