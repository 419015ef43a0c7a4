"""Refusals that Django, its decorators and allauth leave bare or to the database get a page or a sentence."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url

from config import noting
from config.bodies import is_too_large
from config.resending import FORMS, holds_work, send_again
from config.views import bad_request, method_not_allowed


class Refusals:
    """A form that was sent without a session keeps what was typed; a method that an address does not take
    is said; an address with a NUL, which PostgreSQL takes in no text, is a bad request on every page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return bad_request(request, BadRequest("a NUL in the address"))
        response = self.get_response(request)
        noting.refusal(request, response)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not response.content:
            return method_not_allowed(request, response.headers["Allow"])
        if response.status_code == HTTPStatus.FOUND and holds_work(request) and _leads_to_sign_in(response):
            return send_again(request)
        return response

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        """A form that is too large is told so before anybody misses in it what was not read, as Django's check where it
        was sent from would. Views that take JSON tell it by themselves."""
        if is_too_large(request) and request.content_type in FORMS:
            return bad_request(request, RequestDataTooBig())
        return None


def _leads_to_sign_in(response: HttpResponse) -> bool:
    address, _question, query = response.headers.get("Location", "").partition("?")
    return address == resolve_url(settings.LOGIN_URL) and f"{REDIRECT_FIELD_NAME}=" in query
