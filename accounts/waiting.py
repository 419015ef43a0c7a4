"""How long somebody has to wait whom one of allauth's limits has refused, to the second.

allauth says only that a limit is reached: its exception carries no time, and its answers have no Retry-After. So the
function that decides is wrapped, and notes the wait for the rest of the request.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from http import HTTPStatus
from typing import Any

from allauth.core.internal import ratelimit
from django.http import HttpRequest, HttpResponse

_seconds: ContextVar[float] = ContextVar("seconds_to_wait", default=0.0)


def connect() -> None:
    """Note from now on how long each refusal lasts."""
    ratelimit.apply_rate = _noting(ratelimit.apply_rate)


def _noting(apply_rate: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(apply_rate)
    def noting(history: list[float], now: float, rate: Any, **options: Any) -> Any:
        allowed, left = apply_rate(history, now, rate, **options)
        if not allowed:
            # The newest comes first. Of as many as there may be, the last has to grow old.
            _seconds.set(max(_seconds.get(), left[rate.amount - 1] + rate.duration - now))
        return allowed, left

    return noting


def seconds_to_wait() -> int:
    """Whole seconds until what was refused in this request is allowed again; 1 where nobody knows, as where the cache
    was busy."""
    return max(1, math.ceil(_seconds.get()))


class Waits:
    """Tells with each 429 how long it lasts: RFC 6585, section 4. Pages say it themselves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        before = _seconds.set(0.0)
        try:
            response = self.get_response(request)
            if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                response.headers.setdefault("Retry-After", str(seconds_to_wait()))
            return response
        finally:
            _seconds.reset(before)
