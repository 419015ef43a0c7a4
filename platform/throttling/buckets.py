"""Taking from buckets. Each bucket has a name, which is a setting, and one level for each key: a person's or an
organisation's id.

A call asks no database. In production it is one call of Redis. Where Redis is away, everything is allowed and counted
(`throttling.metrics`): a limit protects the server from one person, and must not lock everybody out.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Protocol

from django.conf import settings

from throttling import metrics
from throttling.memory import InMemory
from throttling.rates import Rate
from throttling.shared import Away, InRedis


class Throttled(Exception):
    """This is more than is taken in so short a time. Nothing was done; it may be asked again after `retry_after`."""

    def __init__(self, bucket: str, seconds: float) -> None:
        super().__init__(bucket)
        self.bucket = bucket
        self.seconds = seconds

    @property
    def retry_after(self) -> int:
        """Whole seconds to wait, at least one: what the header Retry-After says (RFC 9110, section 10.2.3)."""
        return max(1, math.ceil(self.seconds))


class Store(Protocol):
    """Where the levels are kept."""

    def take(self, key: str, rate: Rate, cost: float, *, forced: bool) -> float:
        """Take where there is enough, or in any case where it is `forced`; give the seconds to wait, 0 where it was
        taken. Raises Away where nobody can tell."""
        ...


def take(bucket: str, key: object, cost: float = 1) -> float:
    """Take `cost` tokens; give 0 where they were there, else the seconds after which they will be, with none taken.

    A cost above what the bucket holds waits for a full one. With a cost of 0 nothing is taken: the answer says how long
    a debt (see `charge`) lasts. Raises KeyError for a bucket that no setting names.
    """
    return _take(bucket, key, cost, forced=False)


def charge(bucket: str, key: object, cost: float) -> None:
    """Take `cost` tokens whether or not they are there: for work of which the cost is known only when it is done.

    Who takes more than there was is in debt, at the most by what the bucket holds, and `take` makes them wait.
    """
    _take(bucket, key, cost, forced=True)


def demand(bucket: str, key: object, cost: float = 1) -> None:
    """Take `cost` tokens. Raises Throttled where they are not there."""
    if seconds := take(bucket, key, cost):
        raise Throttled(bucket, seconds)


def _take(bucket: str, key: object, cost: float, *, forced: bool) -> float:
    rate: Rate | None = settings.THROTTLING[bucket]
    if rate is None:
        return 0.0
    try:
        seconds = store(settings.REDIS_URL).take(f"{bucket}:{key}", rate, min(cost, rate.burst), forced=forced)
    except Away:
        metrics.count_unanswered(bucket)
        return 0.0
    if seconds:
        metrics.count_refused(bucket)
    return seconds


@cache
def store(redis_url: str) -> Store:
    """The place of all buckets of this process: Redis where there is an address of it, else memory."""
    return InRedis(redis_url) if redis_url else InMemory()


def forget() -> None:
    """Begin with full buckets (tests)."""
    store.cache_clear()
