"""The answer to somebody who comes too often: 429 on pages and by JSON alike, and how long it lasts (RFC 6585, section
4). Who is refused is the buckets' to say (`throttling.buckets`), or allauth's (`accounts.waiting`)."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from accounts import waiting
from config.views import too_many
from throttling.buckets import Throttled

_REFUSED = (HTTPStatus.OK, HTTPStatus.BAD_REQUEST)
"""With these allauth answers a form or a document that it refuses."""


class TooOften:
    """Gives such answers their status and their wait; what the page or the document says stays."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with waiting.measured():
            response = self.get_response(request)
            if waiting.is_refused(request) and response.status_code in _REFUSED:
                _correct(response)
            if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                response.headers.setdefault("Retry-After", str(waiting.seconds_to_wait()))
            return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The page for what a view leaves to say."""
        return too_many(request, exception.retry_after) if isinstance(exception, Throttled) else None


def _correct(response: HttpResponse) -> None:
    response.status_code = HTTPStatus.TOO_MANY_REQUESTS
    if response.headers.get("Content-Type") == "application/json":
        response.content = json.dumps({**json.loads(response.content), "status": response.status_code}).encode()
        # Django's middleware, which is further inside, has counted what was there before.
        response.headers["Content-Length"] = str(len(response.content))
