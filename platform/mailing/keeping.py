"""What sweepers do about mails: empty those that nobody needs any more, and forget those that ended long ago."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from eventbus.signals import swept
from mailing.models import Mail

INTERVAL = 60.0
"""Seconds between two looks of a process: so long the text of an expired mail may stay, where none of its tries falls
due before."""


class Round:
    """When this process has to look again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due = 0.0

    def take(self) -> bool:
        """Whether it is time."""
        with self._lock:
            now = time.monotonic()
            if now < self._due:
                return False
            self._due = now + INTERVAL
            return True


_round = Round()


def connect() -> None:
    """Let sweeps ask."""
    swept.connect(_after_sweep, dispatch_uid="mailing.keeping")


def _after_sweep(**kwargs: Any) -> None:
    if _round.take():
        tidy_up()


def tidy_up() -> None:
    """Empty the mails that expired, whether or not a try of theirs is due, and delete those that ended long ago: after
    EVENTBUS_KEEP_DELIVERIES days, as the bus does with their deliveries (0: never)."""
    Mail.objects.outlived().expire()
    if days := settings.EVENTBUS_KEEP_DELIVERIES:
        Mail.objects.filter(ended_at__lte=Now() - timedelta(days=days)).delete()
