"""Filters of the administration's list of reports."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import F, IntegerField, Q, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from reports import wording

NO_RATING = "none"


class ByRating(admin.SimpleListFilter):
    """By the rating that people are shown."""

    title = _("rating")
    parameter_name = "rating"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((letter, letter) for letter in "ABCDE"), (NO_RATING, str(_("No rating shown")))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = self.value()
        if wanted is None:
            return queryset
        shown = queryset.annotate(
            answered_twice=2 * Cast(KT("evaluation__complete__answered"), IntegerField()),
            asked_in_all=Cast(KT("evaluation__complete__visible"), IntegerField()),
        ).filter(~Q(rating="") & (Q(provisional=False) | Q(asked_in_all__gt=0, answered_twice__gte=F("asked_in_all"))))
        return queryset.exclude(pk__in=shown.values("pk")) if wanted == NO_RATING else shown.filter(rating=wanted)


class ByState(admin.SimpleListFilter):
    """By the state that the list shows."""

    title = _("state")
    parameter_name = "state"
    STATES: ClassVar[dict[str, Q]] = {
        "final": Q(provisional=False),
        "provisional": Q(provisional=True, withdrawn=False),
        "withdrawn": Q(withdrawn=True),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state, str(words)) for state, words in wording.STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = self.STATES.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(wanted)
