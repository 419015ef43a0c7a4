"""Events and deliveries, to be read. Payloads hold customers' answers: only superusers see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from eventbus.models import Delivery, Event

if TYPE_CHECKING:
    EventBase = admin.ModelAdmin[Event]
    DeliveryBase = admin.ModelAdmin[Delivery]
    DeliveryInlineBase = admin.TabularInline[Delivery, Event]
else:
    EventBase = DeliveryBase = admin.ModelAdmin
    DeliveryInlineBase = admin.TabularInline


class ReadOnly:
    """What happened is not edited."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def matching(term: str, prefix: str = "") -> Q:
    """Events with this key, or, where the term is a UUID, with this event, correlation or causing id."""
    found = Q(**{f"{prefix}key": term})
    try:
        parsed = UUID(term)
    except ValueError:
        return found
    return found | Q(**{f"{prefix}uuid": parsed}) | Q(**{f"{prefix}correlation_id": parsed})


class DeliveryInline(ReadOnly, DeliveryInlineBase):
    model = Delivery
    fields = ("subscriber", "generation", "status", "attempts", "due_at", "finished_at", "last_error")
    extra = 0
    show_change_link = True


@admin.register(Event)
class EventAdmin(ReadOnly, EventBase):
    list_display = ("id", "type", "source", "key", "created_at", "erased_at")
    list_filter = ("type", "source", "created_at")
    search_fields = ("uuid", "key", "correlation_id")
    search_help_text = _("Key, event id or correlation id, in full.")
    show_full_result_count = False
    inlines = (DeliveryInline,)

    def get_fields(self, request: HttpRequest, obj: Event | None = None) -> tuple[str, ...]:
        hidden = () if request.user.is_superuser else ("payload",)
        return tuple(field.name for field in Event._meta.fields if field.name not in hidden)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Not by the payload: who may not read the answers could otherwise guess them by filtering."""
        return lookup.split("__")[0] != "payload" and super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        term = search_term.strip()
        return (queryset.filter(matching(term)) if term else queryset), False


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, DeliveryBase):
    list_display = ("id", "subscriber", "key", "status", "attempts", "due_at", "finished_at", "last_error")
    list_filter = ("status", "subscriber", "created_at")
    search_fields = ("event__uuid", "key", "event__correlation_id")
    search_help_text = _("Key, event id or correlation id, in full.")
    show_full_result_count = False
    list_select_related = ("event",)
    fields = (
        "event",
        "subscriber",
        "key",
        "generation",
        "status",
        "attempts",
        "created_at",
        "due_at",
        "leased_until",
        "finished_at",
        "last_error",
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        term = search_term.strip()
        return (queryset.filter(matching(term, "event__")) if term else queryset), False
