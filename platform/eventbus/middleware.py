"""Gives each request its correlation id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast
from uuid import UUID, uuid4

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase

from eventbus.context import correlation_id

HEADER = "X-Request-ID"


class CorrelationMiddleware:
    """Takes the request's id from `X-Request-ID` if it is a UUID, else makes one; answers it in the same header."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._answer_async(request)
        request_id = request_id_of(request)
        token = correlation_id.set(request_id)
        try:
            response = cast(HttpResponseBase, self.get_response(request))
        finally:
            correlation_id.reset(token)
        response.headers[HEADER] = str(request_id)
        return response

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        request_id = request_id_of(request)
        token = correlation_id.set(request_id)
        try:
            response = await cast(Awaitable[HttpResponseBase], self.get_response(request))
        finally:
            correlation_id.reset(token)
        response.headers[HEADER] = str(request_id)
        return response


def request_id_of(request: HttpRequest) -> UUID:
    """The UUID that the client sent in its usual spelling, or a new one: nothing else may get into logs and rows."""
    sent = request.headers.get(HEADER, "")
    try:
        parsed = UUID(sent)
    except ValueError:
        return uuid4()
    return parsed if str(parsed) == sent.lower() else uuid4()
