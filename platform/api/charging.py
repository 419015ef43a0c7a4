"""What people pay for their operations, in steps, out of the bucket `api-person`.

An operation costs what it may take, before it is executed. One that is refused costs what it took to find that out:
else it could be sent again and again for nothing. See docs/adr/0042-turns-by-client.md.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from api.errors import Refused, too_soon
from api.metering import Meter
from throttling import buckets

BUCKET = "api-person"
OWING_SECONDS = 60.0
"""How long somebody can owe for something: a bucket of the default is full after twice as long, and owes half of it."""
MOST_OWING = 1_000

_owing: dict[Hashable, float] = {}
"""Of whom something was refused, and until when they may owe for it."""


def refuse_debtors(person: Any) -> None:
    """Raise Refused where the person owes for what was refused: to be asked before anything is read of an operation.

    The bucket is asked only about people of whom something was refused lately.
    """
    if _owing.get(person.pk, 0.0) > time.monotonic():
        _demand(person, 0)


@contextmanager
def charging_refusals(person: Any) -> Iterator[None]:
    """Let an operation that is refused in here cost the time that it took, whether or not its person has as much."""
    meter = Meter()
    try:
        yield
    except Refused:
        charge_rest(person, meter.timed)
        raise


def charge(person: Any, steps: int) -> None:
    """Take what an operation costs; in production Redis is asked. Raises Refused where there is not enough: nothing is
    taken then."""
    _demand(person, steps)


def charge_rest(person: Any, steps: int) -> None:
    """Take what turned out afterwards, if anything did. The person owes what they have not."""
    if steps > 0:
        buckets.charge(BUCKET, person.pk, steps)
        _note(person.pk)


def _note(person: Hashable) -> None:
    now = time.monotonic()
    if len(_owing) >= MOST_OWING:
        for each in [key for key, until in list(_owing.items()) if until < now] or list(_owing):
            _owing.pop(each, None)
    _owing[person] = now + OWING_SECONDS


def _demand(person: Any, steps: int) -> None:
    try:
        buckets.demand(BUCKET, person.pk, steps)
    except buckets.Throttled as refused:
        raise too_soon(refused.retry_after) from None
