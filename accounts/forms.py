"""Forms for people who come by themselves."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from allauth.account import forms as allauth_forms
from allauth.mfa.base import forms as factor_forms
from allauth.mfa.totp import forms as totp_forms
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User

PASSWORD_HINT = _(
    "At least 10 characters; several words are easy to remember. Not your name, a common one or only digits."
)

NEW_PASSWORD = {"password1": _("New password"), "password2": _("New password (again)")}


def _optional_text(label: Any, autocomplete: str, help_text: Any = "") -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, required=False, max_length=120, help_text=help_text, widget=widget)


class PasswordHint(forms.Form):
    """Says the rules of a new password in one sentence instead of Django's list."""

    labels: ClassVar[dict[str, Any]] = {}
    """In place of allauth's, which begin each word with a capital."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = PASSWORD_HINT
        for name, label in self.labels.items():
            self.fields[name].label = label

    def try_save(self, request: HttpRequest) -> Any:
        """Make the person; where another request did so meanwhile, as after a double click, the address is known."""
        try:
            return super().try_save(request)  # type: ignore[misc]  # allauth has no annotations
        except IntegrityError:
            self.account_already_exists = True
            return super().try_save(request)  # type: ignore[misc]  # allauth has no annotations


# allauth has no annotations, so to mypy its forms are of any type.
class ChangePasswordForm(PasswordHint, allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    """A new password for somebody who knows the old one."""

    labels: ClassVar[dict[str, Any]] = {"oldpassword": _("Current password"), **NEW_PASSWORD}


class SetPasswordForm(PasswordHint, allauth_forms.SetPasswordForm):  # type: ignore[misc]
    """A first password for somebody who has none."""


class ResetPasswordKeyForm(PasswordHint, allauth_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    """A new password for somebody who has entered the code."""

    labels = NEW_PASSWORD


class SignupForm(PasswordHint, allauth_forms.SignupForm):  # type: ignore[misc]
    """Sign up with an address and a password; whatever the rest says, a known address looks like a new one."""

    name = _optional_text(_("Your name (optional)"), "name")
    organisation = _optional_text(
        _("Organisation (optional)"), "organization", _("Reports belong to it; an administrator can add colleagues.")
    )
    field_order = ["email", "password1", "name", "organisation"]


class _Code(forms.Form):
    """One field, filled in by a phone's keyboard of digits or by a password manager."""

    hint: Any = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = self.fields["code"]
        code.label, code.help_text = _("Code"), self.hint
        code.widget.attrs |= {"inputmode": "numeric", "autocomplete": "one-time-code"}


_EITHER_CODE = _("The 6 digits that your authenticator app shows now, or one of your recovery codes.")


class SecondFactorForm(_Code, factor_forms.AuthenticateForm):  # type: ignore[misc]
    """The second step of signing in."""

    hint = _EITHER_CODE


class ConfirmByCodeForm(_Code, factor_forms.ReauthenticateForm):  # type: ignore[misc]
    """Somebody who is signed in shows that it is still them."""

    hint = _EITHER_CODE


class SwitchOnForm(_Code, totp_forms.ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an app proves that it has the secret."""

    hint = _("The 6 digits that the app shows now.")

    @property
    def secret_in_groups(self) -> str:
        """The secret for typing: apps ignore the spaces."""
        return " ".join(re.findall(".{1,4}", self.secret))


class SetupForm(forms.Form):
    """The first administrator."""

    email = forms.EmailField(label=_("Email"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=PASSWORD_HINT,
    )
    organisation = forms.CharField(
        label=_("Organisation"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "organization"})
    )

    def clean_email(self) -> str:
        """In lower case; refused where somebody has it, as only the holder of the link can ask."""
        email: str = self.cleaned_data["email"].lower()
        if User.objects.filter(email=email).exists():
            raise forms.ValidationError(_("Somebody already signed up with this address. Use another one."))
        return email

    def clean(self) -> dict[str, Any]:
        """Check the password against the address too."""
        super().clean()
        password = self.cleaned_data.get("password")
        if password:
            try:
                validate_password(password, User(email=self.cleaned_data.get("email", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return self.cleaned_data
