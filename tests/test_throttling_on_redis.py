"""Buckets that processes share: in Redis, and without it."""

from __future__ import annotations

import pytest
import redis
from pytest_django import Settings

from tests.services import Service
from throttling import metrics
from throttling.buckets import forget, take
from throttling.rates import Rate, read
from throttling.shared import PREFIX, InRedis

pytestmark = pytest.mark.process

RATE = Rate(per_second=0.01, burst=4)


@pytest.fixture
def client(redis_server: Service) -> redis.Redis:
    client = redis.Redis.from_url(redis_server.url)
    client.flushall()
    return client


def test_two_processes_take_from_the_same_bucket(redis_server: Service, client: redis.Redis) -> None:
    one, other = InRedis(redis_server.url), InRedis(redis_server.url)
    assert [each.take("a", RATE, 2, forced=False) for each in (one, other)] == [0, 0]
    assert 199 < one.take("a", RATE, 2, forced=False) <= 200
    assert other.take("b", RATE, 2, forced=False) == 0


def test_a_debt_ends_at_a_whole_bucket_and_a_key_lives_until_its_bucket_is_full(
    redis_server: Service, client: redis.Redis
) -> None:
    levels = InRedis(redis_server.url)
    for _ in range(5):
        levels.take("a", RATE, 4, forced=True)
    assert 399 < levels.take("a", RATE, 0, forced=False) <= 400
    assert levels.take("b", RATE, 0, forced=False) == 0
    assert [*client.scan_iter()] == [f"{PREFIX}a".encode()]
    assert 799 < client.pttl(f"{PREFIX}a") / 1000 <= 800


def test_a_take_is_one_call_of_redis(redis_server: Service, client: redis.Redis) -> None:
    levels = InRedis(redis_server.url)
    levels.take("a", RATE, 1, forced=False)
    client.config_resetstat()
    levels.take("a", RATE, 1, forced=False)
    outside = {
        name for name in client.info("commandstats") if name not in ("cmdstat_time", "cmdstat_get", "cmdstat_set")
    }
    assert outside <= {"cmdstat_evalsha", "cmdstat_config|resetstat", "cmdstat_config"}


def test_a_redis_that_was_restarted_is_noticed_by_nobody(redis_server: Service, client: redis.Redis) -> None:
    levels = InRedis(redis_server.url)
    levels.take("a", RATE, 4, forced=False)
    redis_server.stop()
    redis_server.start()
    assert levels.take("a", RATE, 4, forced=False) == 0


def test_without_redis_everything_is_allowed_and_counted(redis_server: Service, settings: Settings) -> None:
    settings.THROTTLING, settings.REDIS_URL = {"small": read("1/h")}, redis_server.url
    forget()
    metrics.reset()
    redis_server.stop()
    try:
        assert [take("small", "alice") for _ in range(3)] == [0, 0, 0]
    finally:
        redis_server.start()
        forget()
    assert metrics.unanswered() == {"small": 3}
    assert metrics.refused() == {}
