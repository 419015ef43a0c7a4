"""Form fields for what names and reaches people."""

from __future__ import annotations

import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.forms import Widget
from django.utils.translation import gettext_lazy as _

from accounts import addresses, names


class _NothingCutOff:
    """Without `maxlength`: browsers throw away what goes beyond it, unsaid. The form refuses it with the limit."""

    def widget_attrs(self, widget: Widget) -> dict[str, Any]:
        attrs: dict[str, Any] = super().widget_attrs(widget)  # type: ignore[misc]  # a mixin
        attrs.pop("maxlength", None)
        return attrs


class NameField(_NothingCutOff, forms.CharField):
    """The name of a person or an organisation, without what nobody sees; one that nobody sees at all is refused."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": names.MAX_LENGTH, **kwargs})

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        seen = names.cleaned(text)
        if text and not seen:
            raise ValidationError(_("Nobody can see this name. Enter one with letters or digits."), code="invisible")
        return seen


class AddressField(_NothingCutOff, forms.EmailField):
    """An email address, in the form in which it is kept."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": addresses.MAX_LENGTH, **kwargs})
        # `normalised` says what is wrong, and what to do.
        self.validators = [each for each in self.validators if each is not validate_email]

    def clean(self, value: Any) -> str:
        address = super().clean(value)
        return addresses.normalised(address) if address else ""


class CodeField(forms.CharField):
    """A code as it is typed or pasted: with spaces, line breaks and dashes of any kind, or in wide digits."""

    def to_python(self, value: Any) -> str:
        text = unicodedata.normalize("NFKC", super().to_python(value) or "")
        return "".join(char for char in text if char.isalnum())


class TakesPasswords(forms.Form):
    """For a form of allauth's for native clients: a password is taken as it is, as on the pages, with its spaces."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if "password" in name and isinstance(field, forms.CharField):
                field.strip = False


class TakesAddresses(forms.Form):
    """For a form of allauth's: its fields for addresses become ours."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if isinstance(field, forms.EmailField):
                field.widget.attrs.pop("maxlength", None)
                ours = {"label": field.label, "required": field.required, "widget": field.widget}
                self.fields[name] = AddressField(help_text=field.help_text, **ours)
