"""JSON that native clients send, looked at before allauth reads it: whatever is in it, the answer is one that says what
to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils.translation import gettext as _

ROOT = "/_allauth/"


class ReadableBodies:
    """Refuses, for allauth's addresses, bodies that are no object of JSON (400), are nested without end (400), have
    half a character (400) or are too large (413).

    allauth 65.21.1 answers each of these with an error of the server or with an empty 400.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Refuse, or let the view answer; one that reads no body takes any."""
        reads = getattr(getattr(view, "view_class", None), "handle_json_input", True)
        return _refusal(request) if reads and request.path_info.startswith(ROOT) else None


def errors(status: int, code: str, message: str, **more: str) -> JsonResponse:
    """An answer in the form of allauth's, with one error."""
    return JsonResponse({"status": status, "errors": [{"message": message, "code": code, **more}]}, status=status)


def _refusal(request: HttpRequest) -> HttpResponse | None:
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return None
    try:
        body = request.body
    except RequestDataTooBig:
        return errors(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", _("The request is too large."))
    except UnreadablePostError:
        return errors(HTTPStatus.BAD_REQUEST, "unreadable", _("The request ended too early."))
    return _refusal_of(body) if body else None


def _refusal_of(body: bytes) -> HttpResponse | None:
    try:
        sent = json.loads(body.decode())
    # A number of thousands of digits is a ValueError, too.
    except (ValueError, RecursionError):
        sent = None
    if not isinstance(sent, dict):
        return errors(HTTPStatus.BAD_REQUEST, "no_json", _("Send an object of JSON, in UTF-8."))
    for name, value in sent.items():
        if any(not _is_whole(text) for text in _texts(name, value)):
            message = _("There is half a character in it, as where a text was cut. Send whole ones.")
            return errors(HTTPStatus.BAD_REQUEST, "half_character", message, param=name if _is_whole(name) else "")
    return None


def _texts(*values: Any) -> Iterator[str]:
    """All texts in it, at whatever depth."""
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value


def _is_whole(text: str) -> bool:
    """Whether it can be stored and hashed: half a surrogate pair has no bytes."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)
