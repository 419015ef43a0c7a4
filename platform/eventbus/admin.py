"""Events and deliveries, to be read; the bus, to be operated.

Staff with the permission to view read; superusers act, by POST. Payloads hold customers' answers: only superusers see
them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from eventbus.dead_letters import redrivable, redrive
from eventbus.filters import EventTypeFilter, SourceFilter, SubscriberFilter, TypeFilter
from eventbus.forms import ReplayForm, TraceForm
from eventbus.models import DeadLetter, Delivery, Event, Replay, ReplayState, Status, SubscriptionState
from eventbus.pausing import UnknownSubscriber, pause, resume, standings
from eventbus.replays import CancelledAlready, FinishedAlready, NothingToReplay, OrderedAlready, cancel, place
from eventbus.signals import payload_read
from eventbus.subscriptions import registry
from eventbus.timeline import rows_of, shown
from eventbus.traces import milliseconds, trace
from reviewing.guarded import Guarded, GuardedAdmin

STYLES = {"all": ("css/eventbus-admin.css",)}

if TYPE_CHECKING:
    EventBase = admin.ModelAdmin[Event]
    DeliveryBase = admin.ModelAdmin[Delivery]
    DeadLetterBase = admin.ModelAdmin[DeadLetter]
    SubscriptionBase = admin.ModelAdmin[SubscriptionState]
    ReplayBase = admin.ModelAdmin[Replay]
    DeliveryInlineBase = admin.TabularInline[Delivery, Event]
else:
    EventBase = DeliveryBase = DeadLetterBase = SubscriptionBase = ReplayBase = admin.ModelAdmin
    DeliveryInlineBase = admin.TabularInline


class ReadOnly(Guarded):
    """What happened is not edited, and of other organisations' events a reviewer sees nothing."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def superuser_only(request: HttpRequest) -> None:
    """Raise PermissionDenied for everybody else."""
    if not request.user.is_superuser:
        raise PermissionDenied


def link_to_trace(correlation_id: UUID) -> SafeString:
    address = reverse("admin:eventbus_trace", args=[correlation_id])
    return format_html('<a href="{}">{}</a>', address, gettext("Trace of the request"))


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


def matching(term: str, prefix: str = "") -> Q:
    """Events with this key, or, where the term is a UUID, with this event, correlation or causing id."""
    found = Q(**{f"{prefix}key": term})
    try:
        parsed = UUID(term)
    except ValueError:
        return found
    return found | Q(**{f"{prefix}uuid": parsed}) | Q(**{f"{prefix}correlation_id": parsed})


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


@admin.register(SubscriptionState)
class SubscriptionAdmin(ReadOnly, GuardedAdmin, SubscriptionBase):
    """Every subscriber of this code with what waits for it; superusers pause and resume."""

    reviewed_by = ""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<str:name>/pause/", view(self.pause_view), name="eventbus_pause"),
            path("<str:name>/resume/", view(self.resume_view), name="eventbus_resume"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = [shown(standing) for standing in standings()]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Subscriptions"),
            "rows": rows,
            "any_behind": any(row.standing.is_behind for row in rows),
            "any_unknown": not all(row.standing.known for row in rows),
        }
        return render(request, "admin/eventbus/subscriptions.html", context)

    @method_decorator(require_POST)
    def pause_view(self, request: HttpRequest, name: str) -> HttpResponse:
        return self._change(request, name, pause, gettext("Paused %(name)s: what comes for it waits."))

    @method_decorator(require_POST)
    def resume_view(self, request: HttpRequest, name: str) -> HttpResponse:
        return self._change(request, name, resume, gettext("Resumed %(name)s: it goes on with what waited."))

    def _change(self, request: HttpRequest, name: str, action: Callable[[str, str], bool], told: str) -> HttpResponse:
        superuser_only(request)
        try:
            changed = action(name, request.user.get_username())
        except UnknownSubscriber:
            messages.error(request, gettext("There is no subscriber of this name."))
        else:
            unchanged = gettext("Nothing changed: %(name)s was so already.")
            messages.success(request, (told if changed else unchanged) % {"name": name})
        return redirect("admin:eventbus_subscriptionstate_changelist")


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


@admin.register(Replay)
class ReplayAdmin(ReadOnly, GuardedAdmin, ReplayBase):
    """The replays that were ordered, and how far they are; superusers order one, after they have seen how much it is,
    and cancel one that is under way."""

    reviewed_by = ""

    list_display = (
        "id",
        "state",
        "event_type",
        "subscriber",
        "made",
        "waiting",
        "called_off",
        "started_at",
        "finished_at",
        "started_by",
        "rate",
        "since",
        "until",
    )
    fields = (
        "id",
        "state",
        "event_type",
        "subscriber",
        "since",
        "until",
        "rate",
        "made",
        "handed_on",
        "waiting",
        "called_off",
        "started_by",
        "started_at",
        "finished_at",
        "cancelled_by",
        "cancelled_at",
        "ended_at",
    )

    class Media:
        css = STYLES

    def get_queryset(self, request: HttpRequest) -> QuerySet[Replay]:
        return Replay.objects.with_progress()

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        number, state, *others = self.list_display
        return (number, state, *(("stop",) if request.user.is_superuser else ()), *others)

    def get_readonly_fields(self, request: HttpRequest, obj: Replay | None = None) -> tuple[str, ...]:
        return ("state", "made", "handed_on", "waiting", "called_off")

    @admin.display(description=_("state"))
    def state(self, order: Replay) -> SafeString:
        shown = format_html('<span class="bus-state bus-{}">{}</span>', order.state.value, order.state.label)
        if not order.is_left_alone:
            return shown
        advice = gettext("No worker has begun: is one running? Subscriptions and manage.py doctor tell.")
        return format_html("{}<br>{}", shown, advice)

    @admin.display(description=_("made"))
    def made(self, order: Replay) -> str:
        if order.state != ReplayState.MAKING:
            return str(order.deliveries)
        return gettext("%(made)d of %(all)d") % {"made": order.deliveries, "all": order.expected}

    @admin.display(description=_("still waiting"))
    def waiting(self, order: Replay) -> int:
        return order.waiting

    @admin.display(description=_("handed on"))
    def handed_on(self, order: Replay) -> int:
        return order.handed_on

    @admin.display(description=_("called off"))
    def called_off(self, order: Replay) -> int:
        return order.called_off

    @admin.display(description=_("action"))
    def stop(self, order: Replay) -> str | SafeString:
        if not order.may_be_cancelled:
            return ""
        address = reverse("admin:eventbus_replay_cancel", args=[order.pk])
        named = gettext("Cancel replay %(number)d") % {"number": order.pk}
        return format_html('<a class="button" href="{}" aria-label="{}">{}</a>', address, named, gettext("Cancel"))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.cancel_view)
        return [path("<int:pk>/cancel/", view, name="eventbus_replay_cancel"), *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask what to replay; count; order what was confirmed. The workers carry it out."""
        superuser_only(request)
        form = ReplayForm(request.POST if request.method == "POST" else None)
        counted: dict[str, int] | None = None
        left_out = 0
        if form.is_bound and form.is_valid():
            token = _token(request.POST.get("confirm", ""))
            if token and self._order(request, form, token):
                return redirect("admin:eventbus_replay_changelist")
            counted, left_out = form.selection.count(), form.selection.count_superseded()
        total = sum((counted or {}).values())
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Replay events"),
            "form": form,
            "token": uuid4(),
            "counted": counted,
            "total": total,
            "left_out": left_out,
            "minutes": -(-total // (60 * form.cleaned_data["rate"])) if counted is not None else 0,
        }
        return render(request, "admin/eventbus/replay/order.html", context)

    def _order(self, request: HttpRequest, form: ReplayForm, token: UUID) -> bool:
        """Order what was counted; a page that is sent again, by a double click for example, orders nothing more. False
        where nothing is left to be replayed."""
        try:
            order = place(form.selection, rate=form.cleaned_data["rate"], by=request.user.get_username(), token=token)
        except NothingToReplay:
            return False
        except OrderedAlready:
            messages.warning(request, gettext("This replay was ordered already. To order another one, count again."))
        else:
            told = ngettext(
                "Replay %(number)d is ordered: %(count)d delivery. Workers carry it out; here you see how far it is.",
                "Replay %(number)d is ordered: %(count)d deliveries. Workers carry it out; here you see how far it is.",
                order.expected,
            )
            messages.success(request, told % {"number": order.pk, "count": order.expected})
        return True

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what was handed on and what would not be; cancel what was confirmed."""
        superuser_only(request)
        order = get_object_or_404(Replay.objects.with_progress(), pk=pk)
        if request.method == "POST":
            self._cancel(request, order)
            return redirect("admin:eventbus_replay_changelist")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Cancel replay %(number)d") % {"number": pk},
            "order": order,
        }
        return render(request, "admin/eventbus/replay/cancel.html", context)

    def _cancel(self, request: HttpRequest, order: Replay) -> None:
        names = {"number": order.pk, "by": order.cancelled_by}
        try:
            cancel(order.pk, request.user.get_username())
        except CancelledAlready as already:
            names["by"] = already.order.cancelled_by
            messages.warning(request, gettext("Replay %(number)d was cancelled already, by %(by)s.") % names)
        except FinishedAlready:
            told = gettext("Replay %(number)d has finished: everything was handed on, nothing was cancelled.")
            messages.warning(request, told % names)
        else:
            told = gettext("Replay %(number)d is cancelled: what was not handed on yet is not delivered.")
            messages.success(request, told % names)


def _token(text: str) -> UUID | None:
    """What the button of a counted order carries; None for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return None
