"""Levels in Redis, which all processes of the production mode share.

One script for each take: Redis runs it whole, by its own clock. A key lives until its bucket is full again.
"""

from __future__ import annotations

import logging

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from eventbus.wakeups import Breaker
from throttling.rates import Rate

logger = logging.getLogger(__name__)

PREFIX = "plumbline:limit:"
TIMEOUT = 0.5
"""Seconds that a Redis which hangs may cost a request, once in `Breaker.seconds`."""
TAKE = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local per_second, burst, cost, forced = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now) or now, now) + cost / per_second
local wait = full_at - now - burst / per_second
if wait > 0.000002 and not forced then
    return string.format('%.6f', wait)
end
if cost > 0 then
    full_at = math.min(full_at, now + 2 * burst / per_second)
    redis.call('SET', KEYS[1], string.format('%.6f', full_at), 'PX', math.max(1, math.ceil((full_at - now) * 1000)))
end
return '0'
"""
"""The same as `throttling.memory.InMemory.take`. Numbers come back as texts: Redis would cut fractions off."""


class Away(Exception):
    """Redis does not answer, or has just failed."""


class InRedis:
    """Levels at one address. Threads may take at once."""

    def __init__(self, url: str) -> None:
        # A second try at once: a connection may have been cut while nobody used it. None where Redis hangs.
        again = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
        self._client = redis.Redis.from_url(
            url, socket_connect_timeout=TIMEOUT, socket_timeout=TIMEOUT, socket_keepalive=True, retry=again
        )
        self._take = self._client.register_script(TAKE)
        self._breaker = Breaker(seconds=5.0)

    def take(self, key: str, rate: Rate, cost: float, *, forced: bool) -> float:
        """See `throttling.buckets.Store`. Raises Away at once while the last failure is younger than five seconds."""
        if self._breaker.is_open:
            raise Away
        arguments = [rate.per_second, rate.burst, cost, int(forced)]
        try:
            return float(self._take(keys=[f"{PREFIX}{key}"], args=arguments))
        except redis.RedisError as error:
            self._breaker.trip()
            logger.warning("no limits for a while: Redis does not answer (%s)", type(error).__name__)
            raise Away from None
