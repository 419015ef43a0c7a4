"""How long somebody has to wait whom one of allauth's limits has refused, to the second.

allauth says only that a limit is reached: its exception carries no time, and its answers have no Retry-After. So the
function that decides is wrapped, and notes the wait for the rest of the request.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from allauth.core.internal import ratelimit
from django.http import HttpRequest

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


def refuse(request: HttpRequest) -> None:
    """Say that this request is refused because there were too many, where its answer is a form like any other."""
    request.too_often = True  # type: ignore[attr-defined]


def is_refused(request: HttpRequest) -> bool:
    """Whether that was said."""
    return hasattr(request, "too_often")


@contextmanager
def measured() -> Iterator[None]:
    """Forget the waits of earlier requests of this thread, and those of this one at its end."""
    before = _seconds.set(0.0)
    try:
        yield
    finally:
        _seconds.reset(before)
