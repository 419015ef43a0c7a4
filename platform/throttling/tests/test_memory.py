"""Levels in memory, by a clock that the test moves."""

from __future__ import annotations

import pytest

from throttling.memory import FEW, InMemory
from throttling.rates import Rate

RATE = Rate(per_second=2, burst=4)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def levels(clock: Clock) -> InMemory:
    return InMemory(clock)


def test_a_full_bucket_gives_its_burst_and_then_says_how_long_to_wait(levels: InMemory) -> None:
    assert [levels.take("a", RATE, 1, forced=False) for _ in range(5)] == [0, 0, 0, 0, pytest.approx(0.5)]
    assert levels.take("b", RATE, 1, forced=False) == 0


def test_a_refused_take_takes_nothing_so_that_the_wait_is_true(levels: InMemory, clock: Clock) -> None:
    levels.take("a", RATE, 4, forced=False)
    for _ in range(3):
        wait = levels.take("a", RATE, 2, forced=False)
    assert wait == pytest.approx(1)
    clock.now += wait
    assert levels.take("a", RATE, 2, forced=False) == 0


def test_a_forced_take_makes_a_debt_of_at_most_a_whole_bucket(levels: InMemory, clock: Clock) -> None:
    for _ in range(9):
        levels.take("a", RATE, 3, forced=True)
    assert levels.take("a", RATE, 0, forced=False) == pytest.approx(2)
    clock.now += 2
    assert levels.take("a", RATE, 0, forced=False) == 0
    assert levels.take("a", RATE, 1, forced=False) == pytest.approx(0.5)


def test_what_is_full_again_is_forgotten(levels: InMemory, clock: Clock) -> None:
    for number in range(FEW):
        levels.take(str(number), RATE, 1, forced=False)
    clock.now += 60
    levels.take("last", RATE, 1, forced=False)
    assert len(levels) == 1
