"""What every page of the administration does that names an organisation or a person."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest

from accounts.models import Organisation, User
from accounts.reviewers import given_to, seen_by
from reviewing.guarded import Guarded


class NamesToldApart(Guarded):
    """For a `ModelAdmin` or an inline: its organisations and people are named so that namesakes differ, and those that
    were not given to a reviewer can't be chosen.

    Set `list_select_related`, without them: what was joined already would be named by its name alone.
    """

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        fields = self.model._meta.concrete_fields
        named = [(field, _told_apart(field.related_model)) for field in fields]
        return (
            super()
            .get_queryset(request)
            .prefetch_related(*(Prefetch(field.name, people) for field, people in named if people is not None))
        )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        named = _told_apart(db_field.related_model)
        if named is not None:
            kwargs["queryset"] = _seen(named, cast(User, request.user))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


def _seen(rows: QuerySet[Any], user: User) -> QuerySet[Any]:
    given = given_to(user)
    if given is None:
        return rows
    return seen_by(user, rows) if rows.model is User else rows.filter(pk__in=given)


def _told_apart(model: Any) -> QuerySet[Any] | None:
    if model is Organisation:
        return Organisation.objects.described().order_by("name", "id")
    if model is User:
        return User.objects.told_apart().order_by("email")
    return None
