"""Buckets as the product takes from them."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from throttling import metrics
from throttling.buckets import Throttled, charge, demand, take
from throttling.rates import read


@pytest.fixture(autouse=True)
def _small_buckets(settings: Settings) -> None:
    settings.THROTTLING = {"small": read("1/s,2"), "off": None}
    metrics.reset()


def test_a_demand_beyond_the_bucket_is_refused_with_whole_seconds_and_counted() -> None:
    demand("small", "alice", 2)
    with pytest.raises(Throttled) as refused:
        demand("small", "alice", 0.5)
    assert refused.value.bucket == "small"
    assert 0 < refused.value.seconds <= 0.5
    assert refused.value.retry_after == 1
    assert metrics.refused() == {"small": 1}
    assert take("small", "bob") == 0


def test_a_cost_above_what_the_bucket_holds_waits_for_a_full_one() -> None:
    assert take("small", "alice", 1000) == 0
    assert 1.9 < take("small", "alice", 1000) <= 2


def test_what_is_charged_afterwards_is_waited_for() -> None:
    charge("small", "alice", 2)
    charge("small", "alice", 2)
    assert 1.9 < take("small", "alice", 0) <= 2


def test_a_limit_that_is_off_refuses_nothing() -> None:
    assert [take("off", "alice", 10**9) for _ in range(3)] == [0, 0, 0]


def test_a_bucket_that_no_setting_names_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        take("unknown", "alice")
