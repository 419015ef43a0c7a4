"""Which threads are in a handler for longer than a handler may take."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_ends: dict[int, float] = {}


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Count the calling thread as stuck once it is inside for more than twice these seconds, the lease's length:
    that is when Celery ends a process for its task."""
    thread = threading.get_ident()
    _ends[thread] = time.monotonic() + 2 * seconds
    try:
        yield
    finally:
        _ends.pop(thread, None)


def is_stuck(thread: threading.Thread) -> bool:
    """Whether the thread has been in one handler for too long."""
    end = _ends.get(thread.ident or 0)
    return end is not None and time.monotonic() > end
