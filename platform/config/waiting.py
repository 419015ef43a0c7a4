"""Waiting for a database that starts at the same time, as after a reboot."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import OperationalError, connection

from eventbus.database_errors import first_line

SAY_EVERY = 5.0
"""Seconds between two tries, each of which says that it still waits."""


def wait_for_database(seconds: float, say: Callable[[str], object]) -> None:
    """Return once the database takes a connection; raises OperationalError where none came about in so many seconds.

    It waits for each reason alike: a server that is starting, or is being made, also refuses passwords and names.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            connection.ensure_connection()
        except OperationalError as error:
            left = until - time.monotonic()
            if left <= 0:
                raise
            say(f"The database does not answer yet ({first_line(error)}). Waiting, at most {left:.0f} s more.")
            time.sleep(min(SAY_EVERY, left))
        else:
            return
