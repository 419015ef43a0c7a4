"""What django-allauth asks of this project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

if TYPE_CHECKING:
    from accounts.forms import SignupForm
    from accounts.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no annotations
    """Makes people in the way of this project."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether people may sign up by themselves (SIGNUP)."""
        return bool(settings.SIGNUP == "open")

    def save_user(self, request: HttpRequest, user: User, form: SignupForm, commit: bool = True) -> User:
        """Save somebody who signs up, together with their organisation; the address is still to be verified."""
        super().save_user(request, user, form, commit=False)
        user.name = form.cleaned_data["name"]
        if commit:
            with transaction.atomic():
                user.save()
                user.found_organisation(form.cleaned_data["organisation"])
        return user
