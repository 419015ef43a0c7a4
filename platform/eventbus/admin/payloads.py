"""Payloads: which page shows one, and to whom."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from eventbus.admin.pages import ReadOnly
from eventbus.models import Event
from eventbus.signals import payload_read
from reviewing.guarded import GuardedAdmin


def payload_of(event: Event) -> str | SafeString:
    """The event as it was published, for superusers only."""
    if event.erased_at:
        return gettext("Erased.")
    if event.emptied_at:
        return gettext("Superseded, contents removed.")
    text = json.dumps(event.payload, indent=2, ensure_ascii=False)
    return format_html('<pre class="bus-payload" tabindex="0">{}</pre>', text)


class ShowsPayload(ReadOnly, GuardedAdmin):
    """A page that shows superusers a payload, and others none; that it is shown is told before."""

    def event_of(self, row: Any) -> Event:
        """The event whose payload the row's page shows."""
        raise NotImplementedError

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id) if request.user.is_superuser else None
        if row is not None and (event := self.event_of(row)).payload:
            payload_read.send(Event, event=event, person=request.user)
        return super().change_view(request, object_id, form_url, extra_context)
