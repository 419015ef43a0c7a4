"""Forms for people who come by themselves."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from allauth.account import forms as allauth_forms
from allauth.mfa.base import forms as factor_forms
from allauth.mfa.totp import forms as totp_forms
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from accounts.fields import AddressField, CodeField, NameField, TakesAddresses
from accounts.models import User
from accounts.passwords import NotOfThisInstallation
from accounts.people import RecoversAlike
from accounts.signing_up import SignsUp

PASSWORD_HINT = _(
    "At least 10 characters; several words are easy to remember. Not your name, this site's, your "
    "organisation's or a common one."
)

NEW_PASSWORD = {"password1": _("New password"), "password2": _("New password (again)")}


ORGANISATION_HINT = _("This name is at the head of your reports.")


def _name(label: Any, autocomplete: str, **options: Any) -> NameField:
    return NameField(label=label, widget=forms.TextInput(attrs={"autocomplete": autocomplete}), **options)


class PasswordHint(forms.Form):
    """Says the rules of a new password in one sentence instead of Django's list."""

    labels: ClassVar[dict[str, Any]] = {}
    """In place of allauth's, which begin each word with a capital."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = PASSWORD_HINT
        for name, label in self.labels.items():
            self.fields[name].label = label


# allauth has no annotations, so to mypy its forms are of any type.
class ChangePasswordForm(PasswordHint, allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    """A new password for somebody who knows the old one."""

    labels: ClassVar[dict[str, Any]] = {"oldpassword": _("Current password"), **NEW_PASSWORD}


class SetPasswordForm(PasswordHint, allauth_forms.SetPasswordForm):  # type: ignore[misc]
    """A first password for somebody who has none."""


class ResetPasswordKeyForm(PasswordHint, allauth_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    """A new password for somebody who has entered the code."""

    labels = NEW_PASSWORD


class SignInForm(TakesAddresses, allauth_forms.LoginForm):  # type: ignore[misc]
    """Sign in by address and password."""


class RecoverPasswordForm(RecoversAlike, TakesAddresses, allauth_forms.ResetPasswordForm):  # type: ignore[misc]
    """Ask for a code to set a new password."""


class ChangeAddressForm(TakesAddresses, allauth_forms.AddEmailForm):  # type: ignore[misc]
    """Ask for a code for a new address."""


class SignupForm(SignsUp, TakesAddresses, PasswordHint, allauth_forms.SignupForm):  # type: ignore[misc]
    """Sign up with an address and a password; whatever the rest says, a known address looks like a new one."""

    name = _name(_("Your name (optional)"), "name", required=False)
    organisation = _name(
        _("Organisation (optional)"),
        "organization",
        required=False,
        help_text=_(
            "This name is at the head of your reports. If you leave it empty, the organisation is named after you. "
            "You sign up with a new organisation. Do your colleagues use Plumbline here already? Then don't sign up: "
            "ask the administrator of this installation to add you to theirs."
        ),
    )
    field_order = ["email", "password1", "name", "organisation"]

    def clean(self) -> dict[str, Any]:
        """Check the password against the organisation's name, too."""
        cleaned = super().clean()
        _refuse_named_after(self, "password1")
        return cleaned


def _refuse_named_after(form: forms.Form, field: str) -> None:
    """Refuse a password that is little more than the organisation's name in the same form."""
    password = form.cleaned_data.get(field)
    if password:
        person = User(email=form.cleaned_data.get("email", ""))
        person.names_of_organisations = (form.cleaned_data.get("organisation") or "",)
        try:
            NotOfThisInstallation().validate(password, person)
        except forms.ValidationError as error:
            form.add_error(field, error)


class _TakesCode(forms.Form):
    """One field for a code; `hint` says which."""

    hint: Any = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        widget = self.fields["code"].widget
        self.fields["code"] = CodeField(label=_("Code"), help_text=self.hint, widget=widget)


class ConfirmAddressForm(_TakesCode, allauth_forms.ConfirmEmailVerificationCodeForm):  # type: ignore[misc]
    """The code of a mail that confirms an address."""


class RecoverByCodeForm(_TakesCode, allauth_forms.ConfirmPasswordResetCodeForm):  # type: ignore[misc]
    """The code of a mail that lets a new password be set."""


class _Code(_TakesCode):
    """Filled in by a phone's keyboard of digits or by a password manager."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs |= {"inputmode": "numeric", "autocomplete": "one-time-code"}


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

    email = AddressField(label=_("Email"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=PASSWORD_HINT,
    )
    organisation = _name(_("Organisation"), "organization", help_text=ORGANISATION_HINT)

    def clean_email(self) -> str:
        """Refused where somebody has it, as only the holder of the link can ask."""
        email: str = self.cleaned_data["email"]
        if User.objects.filter(email=email).exists():
            raise forms.ValidationError(_("Somebody already signed up with this address. Use another one."))
        return email

    def clean(self) -> dict[str, Any]:
        """Check the password against the address too."""
        super().clean()
        password = self.cleaned_data.get("password")
        if password:
            person = User(email=self.cleaned_data.get("email", ""))
            person.names_of_organisations = (self.cleaned_data.get("organisation") or "",)
            try:
                validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return self.cleaned_data
