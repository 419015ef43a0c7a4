"""The person with an address: looked up by as many statements whether anybody has it or not."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django import forms

from accounts.models import User


def with_address(email: str) -> User | None:
    """The person whose verified address it is, else the one who signed up with it; None where nobody did.

    `email` is in the form in which addresses are kept.
    """
    verified = EmailAddress.objects.filter(email=email, verified=True).select_related("user").first()
    signed_up = User.objects.filter(email=email).first()
    return verified.user if verified else signed_up


class RecoversAlike(forms.Form):
    """For both forms of allauth's that ask for the address of somebody who forgot the password."""

    users: list[User]

    def clean_email(self) -> Any:
        email = self.cleaned_data["email"]
        person = with_address(email)
        self.users = [person] if person and person.is_active else []
        return email
