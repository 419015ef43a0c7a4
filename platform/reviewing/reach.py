"""The rows that a person sees in the administration, by organisation."""

from __future__ import annotations

from typing import Any, TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.module_loading import import_string

Row = TypeVar("Row", bound=Model)


def given_to(request: HttpRequest) -> QuerySet[Any] | None:
    """Ids of the organisations whose rows the person sees in the administration; None: those of all.

    settings.REVIEWED_ORGANISATIONS names the function that knows: the bus and the questionnaires know no people.
    """
    found: QuerySet[Any] | None = import_string(settings.REVIEWED_ORGANISATIONS)(request.user)
    return found


def within_reach(rows: QuerySet[Row], request: HttpRequest, path: str) -> QuerySet[Row]:
    """Those of the rows that the person sees; `path` leads from a row to its organisation."""
    given = given_to(request)
    return rows if given is None else rows.filter(**{f"{path}__in": given})
