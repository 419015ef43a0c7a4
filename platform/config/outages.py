"""The answer while something that Plumbline needs is away: 503 in the format that was asked, and when to ask again."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

from accounts import json_bodies
from config.resending import fields, holds_work
from eventbus.database_errors import reason
from eventbus.outages import RETRY_AFTER

logger = logging.getLogger(__name__)

JSON = "application/json"


def unavailable(request: HttpRequest, error: BaseException) -> HttpResponse:
    """Say so to a page, the autosave, a native client or the API. What a form held is on the page, to be sent again."""
    logger.warning("a request was answered with 503: %s", reason(error))
    message = _(
        "Plumbline can't reach its database or another service that it needs. Nothing that was shown as saved is lost. "
        "Try again in a moment."
    )
    response = _document(request, message) or HttpResponse(_page(request, message), status=_STATUS)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    add_never_cache_headers(response)
    return response


_STATUS = HTTPStatus.SERVICE_UNAVAILABLE


def asks_for_json(request: HttpRequest) -> bool:
    """Whether a program is asking: by what it accepts, or by what it sends."""
    return request.get_preferred_type(["text/html", JSON]) == JSON or request.content_type == JSON


def _document(request: HttpRequest, message: str) -> JsonResponse | None:
    if request.path_info.startswith(json_bodies.ROOT):
        return json_bodies.errors(_STATUS, "unavailable", message)
    if request.path_info == "/graphql":
        # The view answers by itself; here is what goes wrong before it or after it.
        error = {"message": message, "extensions": {"code": "SERVICE_UNAVAILABLE"}}
        return JsonResponse({"errors": [error]}, status=_STATUS)
    if asks_for_json(request):
        return JsonResponse({"error": "unavailable", "message": message}, status=_STATUS)
    return None


def _page(request: HttpRequest, message: str) -> str:
    """Rendered without the request: context processors would ask the database again."""
    context: dict[str, Any] = {"message": message, "address": request.get_full_path()}
    if holds_work(request):
        context |= {"fields": fields(request), "csrf_token": get_token(request)}
    return render_to_string("503.html", {**context, "is_page": request.method == "GET"})
