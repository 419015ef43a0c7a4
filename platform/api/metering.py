"""What one operation takes while it is executed: the steps that it makes, and the time that it computes."""

from __future__ import annotations

from collections.abc import Callable
from time import thread_time
from typing import Any

from django.conf import settings

QUERY = 20
"""Steps in which a query keeps the database busy, while this thread only waits for it."""


class Meter:
    """Of one operation, in the thread in which it is made. Its clock goes only while that thread computes."""

    def __init__(self, before: int = 0) -> None:
        """`before` is what the operation took until now."""
        self._before, self._began = before, thread_time()
        self.counted = 0
        """Steps that were made."""
        self._queries = 0

    @property
    def timed(self) -> int:
        """The steps that could have been made in the time that it took."""
        microseconds = (thread_time() - self._began) * 1e6
        return self._before + int(microseconds / settings.GRAPHQL_STEP_MICROSECONDS) + QUERY * self._queries

    @property
    def taken(self) -> int:
        """What it took: the larger one of both."""
        return max(self.counted, self.timed)

    def count_query(self, execute: Callable[..., Any], *query: Any) -> Any:
        """Make a query and count it: a wrapper for Django's `execute_wrapper`."""
        self._queries += 1
        return execute(*query)
