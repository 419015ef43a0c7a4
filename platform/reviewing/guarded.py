"""What every list, page, form and pop-up of the administration is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import BaseModelAdmin, IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest, FieldDoesNotExist, ValidationError
from django.db.models import Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse

from reviewing.reach import within_reach

if TYPE_CHECKING:
    Base = BaseModelAdmin[Any]
    AdminBase = admin.ModelAdmin[Any]
else:
    Base = AdminBase = object

PATTERNS = frozenset(("regex", "iregex"))
OF_THE_KEY = frozenset(("pk", "id", "exact", "in", "isnull"))


class Guarded(Base):
    """For an inline: rows of organisations that were not given to a reviewer are not there."""

    reviewed_by = "organisation"
    """The path from a row to its organisation; empty where rows belong to no customer."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return within_reach(rows, request, self.reviewed_by) if self.reviewed_by else rows

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """By a row's own columns alone, unless a superuser asks: others could find out by filtering what they may not
        read, such as a colleague's address or an event's answers, letter by letter. By no pattern: each database has
        mistakes of its own for those."""
        allowed = super().lookup_allowed(lookup, value, request)
        if not PATTERNS.isdisjoint(lookup.split(LOOKUP_SEP)):
            return False
        return allowed and (bool(request.user.is_superuser) or not _leaves_the_row(self.model, lookup))


class GuardedList(ChangeList):
    """A list that takes no day for an error of its own: Django does not think of the year after 9999."""

    def get_filters(self, request: HttpRequest) -> Any:
        try:
            return super().get_filters(request)
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters(error) from error


class GuardedAdmin(Guarded, AdminBase):
    """The same for a `ModelAdmin`."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return GuardedList

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *place: Any) -> HttpResponse | None:
        """Do to the ticked rows what was chosen; what can be no row's id is a bad request."""
        key = self.model._meta.pk
        try:
            for ticked in request.POST.getlist(ACTION_CHECKBOX_NAME):
                key.to_python(ticked)
        except ValidationError:
            raise BadRequest("this is no row's id") from None
        return super().response_action(request, queryset, *place)


def _leaves_the_row(model: type[Model], lookup: str) -> bool:
    name, *rest = lookup.split(LOOKUP_SEP)
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    if not field.is_relation:
        return False
    return not field.concrete or bool(field.many_to_many) or not OF_THE_KEY.issuperset(rest)
