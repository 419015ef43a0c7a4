"""Every delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from eventbus.admin.pages import STYLES, ReadOnly, matching
from eventbus.filters import SubscriberFilter
from eventbus.models import Delivery
from reviewing.guarded import GuardedAdmin

if TYPE_CHECKING:
    DeliveryBase = admin.ModelAdmin[Delivery]
else:
    DeliveryBase = admin.ModelAdmin


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, GuardedAdmin, DeliveryBase):
    reviewed_by = "event__organisation"
    list_display = ("id", "subscriber", "status", "attempts", "due_at", "finished_at", "key", "last_error")
    list_filter = ("status", SubscriberFilter, "created_at")
    search_fields = ("event__uuid", "key", "event__correlation_id")
    search_help_text = _("Key, event id or correlation id, in full.")
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    fields = (
        "id",
        "event",
        "subscriber",
        "key",
        "generation",
        "status",
        "attempts",
        "created_at",
        "due_at",
        "leased_until",
        "claimed_at",
        "finished_at",
        "last_error",
        "note",
    )

    class Media:
        css = STYLES

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        term = search_term.strip()
        return (queryset.filter(matching(term, "event__")) if term else queryset), False
