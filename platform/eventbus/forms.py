"""What a superuser fills in to operate the bus."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from contracts.cloudevents import type_registry
from eventbus.pausing import UnknownSubscriber
from eventbus.replays import DEFAULT_RATE, HIGHEST_RATE, ReplayRefused, Selection
from eventbus.subscriptions import registry


class MomentInput(forms.DateTimeInput):
    """The browser's own chooser of date and time."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class ReplayForm(forms.Form):
    """Which events to replay, to whom and how fast."""

    event_type = forms.ChoiceField(label=_("Type of events"), required=False)
    subscriber = forms.ChoiceField(label=_("Subscriber"), required=False)
    since = forms.DateTimeField(label=_("Published from"), required=False, widget=MomentInput())
    until = forms.DateTimeField(label=_("Published before"), required=False, widget=MomentInput())
    rate = forms.IntegerField(label=_("Deliveries per second"), min_value=1, max_value=HIGHEST_RATE)

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
