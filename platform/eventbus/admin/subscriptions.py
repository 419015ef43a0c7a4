"""Subscribers with what waits for them, to be paused and resumed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from eventbus.admin.pages import ReadOnly, superuser_only
from eventbus.models import SubscriptionState
from eventbus.pausing import UnknownSubscriber, pause, resume, standings
from eventbus.timeline import shown
from reviewing.guarded import GuardedAdmin

if TYPE_CHECKING:
    SubscriptionBase = admin.ModelAdmin[SubscriptionState]
else:
    SubscriptionBase = admin.ModelAdmin


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
