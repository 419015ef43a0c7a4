"""Every event with its deliveries, and the trace of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from eventbus.admin.pages import STYLES, ReadOnly, link_to_trace, matching
from eventbus.admin.payloads import ShowsPayload, payload_of
from eventbus.filters import SourceFilter, TypeFilter
from eventbus.forms import TraceForm
from eventbus.models import Delivery, Event
from eventbus.timeline import rows_of
from eventbus.traces import milliseconds, trace

if TYPE_CHECKING:
    EventBase = admin.ModelAdmin[Event]
    DeliveryInlineBase = admin.TabularInline[Delivery, Event]
else:
    EventBase = admin.ModelAdmin
    DeliveryInlineBase = admin.TabularInline


class DeliveryInline(ReadOnly, DeliveryInlineBase):
    reviewed_by = "event__organisation"
    model = Delivery
    fields = ("subscriber", "generation", "status", "attempts", "due_at", "finished_at", "last_error")
    extra = 0
    show_change_link = True


@admin.register(Event)
class EventAdmin(ShowsPayload, EventBase):
    list_display = ("id", "type", "source", "key", "created_at", "emptied_at", "erased_at")
    list_filter = (TypeFilter, SourceFilter, "created_at")
    search_fields = ("uuid", "key", "correlation_id")
    search_help_text = _("Key, event id or correlation id, in full.")
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    inlines = (DeliveryInline,)

    class Media:
        css = STYLES

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return super().get_queryset(request).defer("payload")

    def event_of(self, row: Event) -> Event:
        return row

    def get_fields(self, request: HttpRequest, obj: Event | None = None) -> tuple[str, ...]:
        shown = (field.name for field in Event._meta.fields if field.name != "payload")
        return (*shown, "trace", *(("document",) if request.user.is_superuser else ()))

    @admin.display(description=_("trace"))
    def trace(self, event: Event) -> SafeString:
        return link_to_trace(event.correlation_id)

    @admin.display(description=_("CloudEvents document"))
    def document(self, event: Event) -> str | SafeString:
        return payload_of(event)

    def get_readonly_fields(self, request: HttpRequest, obj: Event | None = None) -> tuple[str, ...]:
        return ("trace", "document")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("trace/", view(self.trace_search), name="eventbus_trace_search"),
            path("trace/<uuid:correlation_id>/", view(self.trace_view), name="eventbus_trace"),
            *super().get_urls(),
        ]

    def trace_search(self, request: HttpRequest) -> HttpResponse:
        """Ask for an id, and lead to its trace."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = TraceForm(request.GET if "id" in request.GET else None)
        status = 200
        if form.is_bound and form.is_valid():
            given = form.cleaned_data["id"]
            seen = self.get_queryset(request)
            found = seen.filter(Q(correlation_id=given) | Q(uuid=given)).first()
            if found is not None:
                return redirect("admin:eventbus_trace", found.correlation_id)
            form.add_error("id", gettext("Nothing carries this id: it never was, or was pruned."))
        if form.errors:
            status = 404
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": _("Trace"), "form": form}
        return render(request, "admin/eventbus/trace_search.html", context, status=status)

    def trace_view(self, request: HttpRequest, correlation_id: UUID) -> HttpResponse:
        """Everything that came of one request, as a timeline."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = trace(correlation_id, self.get_queryset(request))
        if found is None:
            return redirect(f"{reverse('admin:eventbus_trace_search')}?id={correlation_id}")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Trace"),
            "trace": found,
            "rows": rows_of(found),
            "lasts": milliseconds(found.lasts),
        }
        return render(request, "admin/eventbus/trace.html", context)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Not by the payload: who may not read the answers could otherwise guess them by filtering."""
        return lookup.split("__")[0] != "payload" and super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        term = search_term.strip()
        return (queryset.filter(matching(term)) if term else queryset), False
