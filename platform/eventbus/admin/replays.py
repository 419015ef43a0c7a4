"""Replays, to be ordered and cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from eventbus.admin.pages import STYLES, ReadOnly, superuser_only
from eventbus.forms import ReplayForm
from eventbus.models import Replay, ReplayState
from eventbus.replays import CancelledAlready, FinishedAlready, NothingToReplay, OrderedAlready, cancel, place
from reviewing.guarded import GuardedAdmin

if TYPE_CHECKING:
    ReplayBase = admin.ModelAdmin[Replay]
else:
    ReplayBase = admin.ModelAdmin


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
