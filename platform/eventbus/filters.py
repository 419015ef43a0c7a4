"""Filters of the administration's lists. None looks through all that was ever published to learn what to offer."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from contracts.cloudevents import type_registry
from eventbus.models import Delivery, Event, Status
from eventbus.subscriptions import registry

NEWEST = 1000
"""How many events are looked at for their sources."""


class _ByValue(admin.SimpleListFilter):
    """Rows whose column, which `parameter_name` names, has the chosen value."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class SubscriberFilter(_ByValue):
    """Subscribers of this code, and other names for which deliveries wait or are dead."""

    title = _("subscriber")
    parameter_name = "subscriber"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = set(registry)
        for rows in (Delivery.objects.undelivered(), Delivery.objects.filter(status=Status.DEAD)):
            names.update(rows.order_by().values_list("subscriber", flat=True).distinct())
        return [(name, name) for name in sorted(names)]


class TypeFilter(_ByValue):
    """Types of events that this code knows."""

    title = _("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in sorted(type_registry)]


class EventTypeFilter(TypeFilter):
    """The same for deliveries."""

    parameter_name = "event__type"


class SourceFilter(_ByValue):
    """Sources of the newest events."""

    title = _("source")
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = Event.objects.order_by("-pk").values_list("source", flat=True)[:NEWEST]
        return [(source, source) for source in sorted(set(newest))]
