"""Mails in the administration, to be read: when, how often, how it ended. Never to whom, nor what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from eventbus.admin.pages import ReadOnly
from eventbus.models import Event
from mailing.models import Mail
from reviewing.guarded import GuardedAdmin

if TYPE_CHECKING:
    MailBase = admin.ModelAdmin[Mail]
else:
    MailBase = admin.ModelAdmin

SHOWN = ("state", "kind", "tries", "created_at", "expires_at", "ended_at")


@admin.register(Mail)
class MailAdmin(ReadOnly, GuardedAdmin, MailBase):
    """Mails of everybody, of whatever organisation: nothing that is shown says whose they are."""

    reviewed_by = ""
    list_display = ("created_at", "what", "state", "tries", "expires_at", "ended_at")
    list_filter = ("state", "created_at")
    fields = ("id", "what", "state", "reason", "tries", "created_at", "expires_at", "ended_at", "deliveries")
    readonly_fields = ("what", "deliveries")
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Only by what the page shows: who may not read a mail could otherwise guess it by filtering."""
        return lookup.split("__")[0] in (*SHOWN, "id") and super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("kind"), ordering="kind")
    def what(self, mail: Mail) -> str:
        """In words that can be broken."""
        return mail.kind.replace("_", " ")

    @admin.display(description=_("deliveries"))
    def deliveries(self, mail: Mail) -> str | SafeString:
        """Where it stands why a try failed, and when the next one is due."""
        event = Event.objects.filter(key=str(mail.pk)).only("pk").first()
        if event is None:
            return gettext("Its event was pruned.")
        address = reverse("admin:eventbus_event_change", args=[event.pk])
        return format_html('<a href="{}">{}</a>', address, gettext("Event and deliveries"))
