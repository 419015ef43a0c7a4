"""Looks at what has to work for those that ask `/health/ready`: once a second, and for no longer than a probe waits.

Everybody may ask, so asking often must cost nothing: what was found lately is told again, and while somebody looks the
others are told what was found before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context

from django.utils.translation import gettext as _

from operations.checks import CHECKS, Result

KEEP = 1.0
"""Seconds for which a finding is told again."""
DEADLINE = 3.0
"""Seconds that Redis gets for all that is asked of it. To a probe, what takes longer does not answer."""
OUTSIDE = ("broker", "channel_layer")
"""Checks that ask another service than the database, in threads of their own: there they end by their own limits."""

_pool = ThreadPoolExecutor(4, thread_name_prefix="health")
_found: dict[str, tuple[float, Result]] = {}
_looking = threading.Lock()


def at(names: Collection[str]) -> dict[str, Result]:
    """What was found of these checks, now or within the last second."""
    if _is_fresh(names):
        return _known(names)
    if not _looking.acquire(blocking=any(name not in _found for name in names)):
        return _known(names)
    try:
        if not _is_fresh(names):
            for name, result in _look(names).items():
                _found[name] = (time.monotonic(), result)
        return _known(names)
    finally:
        _looking.release()


def forget() -> None:
    """Forget what was found (tests)."""
    _found.clear()


def _is_fresh(names: Collection[str]) -> bool:
    return all(name in _found and time.monotonic() - _found[name][0] < KEEP for name in names)


def _known(names: Collection[str]) -> dict[str, Result]:
    return {name: _found[name][1] for name in names}


def _look(names: Collection[str]) -> dict[str, Result]:
    started = time.monotonic()
    waiting = {name: _pool.submit(copy_context().run, CHECKS[name]) for name in names if name in OUTSIDE}
    found = {name: CHECKS[name]() for name in names if name not in OUTSIDE}
    for name, future in waiting.items():
        found[name] = _in_time(future, started + DEADLINE - time.monotonic())
    return found


def _in_time(future: Future[Result], seconds: float) -> Result:
    try:
        return future.result(max(seconds, 0))
    except TimeoutError:
        return Result(
            ok=False,
            cause="TimeoutError",
            says=_("it takes longer than %(seconds)s seconds to answer") % {"seconds": round(DEADLINE)},
            fix=_("See whether Redis hangs or its machine is overloaded. Answers are saved and delivered anyway."),
        )
