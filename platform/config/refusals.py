"""Two refusals that Django and its decorators leave bare get a page."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url

from config.resending import holds_work, send_again
from config.views import method_not_allowed


class Refusals:
    """A form that was sent without a session keeps what was typed; a method that an address does not take is said."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not response.content:
            return method_not_allowed(request, response.headers["Allow"])
        if response.status_code == HTTPStatus.FOUND and holds_work(request) and _leads_to_sign_in(response):
            return send_again(request)
        return response


def _leads_to_sign_in(response: HttpResponse) -> bool:
    address, _question, query = response.headers.get("Location", "").partition("?")
    return address == resolve_url(settings.LOGIN_URL) and f"{REDIRECT_FIELD_NAME}=" in query
