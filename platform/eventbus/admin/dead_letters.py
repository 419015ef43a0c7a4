"""What was given up on, to be redriven."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from eventbus.admin.pages import STYLES, link_to_trace, matching, superuser_only
from eventbus.admin.payloads import ShowsPayload, payload_of
from eventbus.dead_letters import redrivable, redrive
from eventbus.filters import EventTypeFilter, SubscriberFilter
from eventbus.models import DeadLetter, Delivery, Event, Status
from eventbus.subscriptions import registry

if TYPE_CHECKING:
    DeadLetterBase = admin.ModelAdmin[DeadLetter]
else:
    DeadLetterBase = admin.ModelAdmin


@admin.register(DeadLetter)
class DeadLetterAdmin(ShowsPayload, DeadLetterBase):
    """What was given up on, with the reason; superusers see the payload and redrive."""

    reviewed_by = "event__organisation"

    list_display = ("id", "subscriber", "last_error", "attempts", "finished_at")
    list_filter = (SubscriberFilter, EventTypeFilter, "finished_at")
    search_fields = ("event__uuid", "key", "event__correlation_id")
    search_help_text = _("Key, event id or correlation id, in full.")
    show_full_result_count = False
    ordering = ("-finished_at", "-id")
    actions = ("redrive_selected",)

    class Media:
        css = STYLES

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        return super().get_queryset(request).filter(status=Status.DEAD)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[DeadLetter], search_term: str
    ) -> tuple[QuerySet[DeadLetter], bool]:
        term = search_term.strip()
        return (queryset.filter(matching(term, "event__")) if term else queryset), False

    def event_of(self, row: DeadLetter) -> Event:
        return row.event

    def get_fields(self, request: HttpRequest, obj: DeadLetter | None = None) -> tuple[str, ...]:
        shown = (
            "id",
            "event",
            "subscriber",
            "key",
            "generation",
            "attempts",
            "last_error",
            "note",
            "created_at",
            "finished_at",
        )
        return (*shown, "trace", *(("payload",) if request.user.is_superuser else ()))

    def get_readonly_fields(self, request: HttpRequest, obj: DeadLetter | None = None) -> tuple[str, ...]:
        return ("trace", "payload")

    @admin.display(description=_("trace"))
    def trace(self, letter: DeadLetter) -> SafeString:
        return link_to_trace(letter.event.correlation_id)

    @admin.display(description=_("payload"))
    def payload(self, letter: DeadLetter) -> str | SafeString:
        return payload_of(letter.event)

    def has_redrive_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    @admin.action(description=_("Redrive the selected dead letters"), permissions=["redrive"])
    def redrive_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        # What was redriven since the page was made is not among these rows, but somebody ticked it.
        everything = request.POST.get("select_across") == "1"
        ticked = set(request.POST.getlist(ACTION_CHECKBOX_NAME))
        self._redrive(request, queryset, queryset.count() if everything else len(ticked))

    def _redrive(self, request: HttpRequest, letters: QuerySet[DeadLetter], asked: int) -> None:
        """Redrive, and say what became of each of those that were asked for."""
        left = letters.exclude(pk__in=redrivable().order_by().values("pk")).count()
        redriven = redrive(Delivery.objects.filter(pk__in=letters.order_by().values("pk")), request.user.get_username())
        if redriven:
            told = ngettext("%(count)d is delivered again.", "%(count)d are delivered again.", redriven)
            messages.success(request, told % {"count": redriven})
        if left:
            told = ngettext(
                "%(count)d was left: its event was erased, or this code does not have its subscriber.",
                "%(count)d were left: their events were erased, or this code does not have their subscribers.",
                left,
            )
            messages.warning(request, told % {"count": left})
        if (gone := asked - redriven - left) > 0:
            told = ngettext(
                "%(count)d was no longer a dead letter: redriven or deleted already.",
                "%(count)d were no longer dead letters: redriven or deleted already.",
                gone,
            )
            messages.warning(request, told % {"count": gone})

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.redrive_view)
        return [path("<int:pk>/redrive/", view, name="eventbus_redrive"), *super().get_urls()]

    @method_decorator(require_POST)
    def redrive_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Redrive one; whoever clicks twice, or after somebody else, is told so."""
        superuser_only(request)
        self._redrive(request, self.get_queryset(request).filter(pk=pk), asked=1)
        return redirect("admin:eventbus_deadletter_changelist")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        letter = self.get_object(request, object_id) if request.user.is_superuser else None
        why_not = _why_not(letter) if letter else ""
        extra = {"may_redrive": letter is not None and not why_not, "why_not": why_not}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **extra})


def _why_not(letter: DeadLetter) -> str:
    """Why it cannot be redriven; empty: it can."""
    if letter.event.erased_at:
        return gettext("Its event was erased: there is nothing left to deliver.")
    if letter.subscriber not in registry:
        return gettext("This code has no subscriber of this name; once it has one again, this can be redriven.")
    return ""
