"""The status of a form or document that refuses somebody for a while: 429, on pages and by JSON alike. How long it
lasts is `accounts.waiting`'s to say."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

_REFUSED = (HTTPStatus.OK, HTTPStatus.BAD_REQUEST)
"""With these allauth answers a form or a document that it refuses."""


def note(request: HttpRequest) -> None:
    """Say that this request is refused because there were too many."""
    request.too_often = True  # type: ignore[attr-defined]


class TooOften:
    """Gives such answers their status; what the page or the document says stays."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not hasattr(request, "too_often") or response.status_code not in _REFUSED:
            return response
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        if response.headers.get("Content-Type") == "application/json":
            response.content = json.dumps({**json.loads(response.content), "status": response.status_code}).encode()
        return response
