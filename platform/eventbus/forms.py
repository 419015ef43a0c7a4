"""What a superuser fills in to operate the bus."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from contracts.cloudevents import type_registry
from eventbus.pausing import UnknownSubscriber
from eventbus.reading import read_moment, read_whole
from eventbus.replays import DEFAULT_RATE, HIGHEST_RATE, ReplayRefused, Selection
from eventbus.subscriptions import registry


class MomentInput(forms.DateTimeInput):
    """The browser's own chooser of date and time."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class MomentField(forms.DateTimeField):
    """A day or a time as that chooser sends it."""

    widget = MomentInput

    def to_python(self, value: Any) -> datetime | None:
        if isinstance(value, str) and value.strip() and read_moment(value) is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        moment: datetime | None = super().to_python(value)
        return moment


class WholeNumberField(forms.IntegerField):
    """Digits alone: Django's own takes "1.000" for one."""

    default_error_messages = {"invalid": _("Enter a whole number in digits alone, for example 1000.")}

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values:
            return None
        if (number := read_whole(str(value))) is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return number


class ReplayForm(forms.Form):
    """Which events to replay, to whom and how fast."""

    event_type = forms.ChoiceField(label=_("Type of events"), required=False)
    subscriber = forms.ChoiceField(label=_("Subscriber"), required=False)
    since = MomentField(label=_("Published from"), required=False)
    until = MomentField(label=_("Published before"), required=False)
    rate = WholeNumberField(label=_("Deliveries per second"), min_value=1, max_value=HIGHEST_RATE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        types: Any = self.fields["event_type"]
        types.choices = [("", _("Any")), *((name, name) for name in sorted(type_registry))]
        subscribers: Any = self.fields["subscriber"]
        subscribers.choices = [("", _("Everyone who wants them")), *((name, name) for name in sorted(registry))]
        self.fields["rate"].initial = DEFAULT_RATE

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        try:
            self.selection = Selection(
                **{name: cleaned[name] for name in ("event_type", "subscriber", "since", "until")}
            )
        except (ReplayRefused, UnknownSubscriber) as refusal:
            raise forms.ValidationError(str(refusal)) from None
        return cleaned


class TraceForm(forms.Form):
    """What to trace."""

    id = forms.UUIDField(
        label=_("Request, correlation or event id"),
        error_messages={"invalid": _("This is no id: one looks like 7c9e6679-7425-40de-944b-e07fc1f90ae7.")},
    )
