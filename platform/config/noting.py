"""Refusals and the administration in the security log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.db.models.signals import post_save
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from securitylog import Kind, note

_REFUSALS: dict[int, Kind] = {HTTPStatus.FORBIDDEN: Kind.DENIED, HTTPStatus.TOO_MANY_REQUESTS: Kind.TOO_MANY}
ENTRANCES = ("/accounts/", "/_allauth/", "/admin/")
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_made: ContextVar[list[str] | None] = ContextVar("made", default=None)
"""Ids of what the request at hand has made or changed in the administration. None outside it."""


def connect() -> None:
    """Listen to what Django's administration writes down."""
    post_save.connect(_collect, sender=LogEntry, dispatch_uid="config.noting")


def refusal(request: HttpRequest, response: HttpResponseBase) -> None:
    """Note an answer 403, or 429 where people come in, unless it was noted already for what it is.

    People who are known and save too quickly are counted in the metrics, and no news for security.
    """
    kind = _REFUSALS.get(response.status_code)
    is_news = kind is not Kind.TOO_MANY or request.path.startswith(ENTRANCES)
    if kind and is_news and not getattr(request, "is_noted", False):
        note(kind, request, view=_view(request), person=_person(request))


def csrf_failed(request: HttpRequest) -> None:
    """Note a form or a call without its token."""
    request.is_noted = True  # type: ignore[attr-defined]
    note(Kind.CSRF_FAILED, request, view=_view(request), person=_person(request))


def denied(request: HttpRequest) -> None:
    """Note that somebody who is signed in may not enter a page, where the answer does not tell."""
    note(Kind.DENIED, request, view=_view(request), person=_person(request))


@contextmanager
def administration(request: HttpRequest) -> Iterator[list[HttpResponseBase]]:
    """Note what a request does: put the answer into the list. One that was not taken, a form with mistakes, is none."""
    answers: list[HttpResponseBase] = []
    token = _made.set([])
    try:
        yield answers
        if request.method == "POST" and answers and answers[0].status_code == HTTPStatus.FOUND:
            action = request.POST.get("action")
            objects = _ids(request) or _made.get()
            note(Kind.ADMINISTRATION, request, view=_view(request), action=action, objects=objects, by=_person(request))
    finally:
        _made.reset(token)


def _ids(request: HttpRequest) -> list[str]:
    """What the request was about: by its address, or by what was ticked."""
    match = request.resolver_match
    named = [str(value) for value in match.kwargs.values()] if match else []
    ticked = request.POST.getlist(ACTION_CHECKBOX_NAME)
    return [each for each in named or ticked if _ID.fullmatch(each)]


def _collect(instance: LogEntry, **kwargs: Any) -> None:
    made = _made.get()
    if made is not None and instance.object_id:
        made.append(str(instance.object_id))


def _view(request: HttpRequest) -> str | None:
    return request.resolver_match.view_name if request.resolver_match else None


def _person(request: HttpRequest) -> Any:
    user = getattr(request, "user", None)
    return user.pk if user is not None and user.is_authenticated else None
