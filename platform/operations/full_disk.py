"""Remembers that the database said its disk is full. That disk is the database server's: nobody here can look at it."""

from __future__ import annotations

import sys
import time
from typing import Any

from django.core.signals import got_request_exception

SQLSTATE = "53100"
"""PostgreSQL's disk_full (its manual, appendix A)."""
REMEMBERED = 60.0
"""Seconds for which it counts: the heartbeat and the next save would say it again."""

_said_at: float | None = None


def connect() -> None:
    """Hear of requests that failed."""
    got_request_exception.connect(_after_failed_request, dispatch_uid="operations.full_disk")


def note(error: BaseException | None) -> None:
    """Remember it where this error of the database says so."""
    global _said_at
    if getattr(error.__cause__ if error else None, "sqlstate", None) == SQLSTATE:
        _said_at = time.monotonic()


def was_said_lately() -> bool:
    """Whether the database said to this process within the last minute that its disk is full."""
    return _said_at is not None and time.monotonic() - _said_at < REMEMBERED


def forget() -> None:
    """Begin as if nothing had been said (tests)."""
    global _said_at
    _said_at = None


def _after_failed_request(**kwargs: Any) -> None:
    note(sys.exc_info()[1])
