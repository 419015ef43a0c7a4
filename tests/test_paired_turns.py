"""Which build goes first, and what becomes of a turn that fails."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.bench.against.turns import MOST_FAILURES, CannotMeasure, Name, Turns, order_of


class Builds:
    """Two builds that measure what they are told to, and fail as often as they are told to."""

    def __init__(self, *failing: tuple[Name, int]) -> None:
        self.failing = Counter(failing)
        self.measured: list[tuple[Name, int]] = []
        self.recovered = 0
        self.said: list[str] = []
        self.turns = Turns(self.recover, self.said.append)

    async def measure(self, side: Name, seed: int) -> float:
        if self.failing[side, seed] > 0:
            self.failing[side, seed] -= 1
            raise RuntimeError("HTTP/1.1 500")
        self.measured.append((side, seed))
        return float(seed)

    async def recover(self) -> None:
        self.recovered += 1


def test_the_builds_alternate_and_neither_is_always_first() -> None:
    assert [order_of(turn) for turn in range(4)] == [("old", "new"), ("new", "old")] * 2


@pytest.mark.parametrize("turns", [2, 16, 30])
def test_each_is_first_as_often_as_the_other(turns: int) -> None:
    assert Counter(order_of(turn)[0] for turn in range(turns)) == {"old": turns // 2, "new": turns // 2}


async def test_both_get_the_same_seed() -> None:
    builds = Builds()
    assert await builds.turns.pair(0, builds.measure) == {"old": 0.0, "new": 0.0}
    assert await builds.turns.pair(1, builds.measure) == {"old": 1.0, "new": 1.0}
    assert builds.measured == [("old", 0), ("new", 0), ("new", 1), ("old", 1)]
    assert builds.said == []


async def test_a_turn_that_fails_is_told_and_repeated_for_both() -> None:
    builds = Builds(("new", 0))
    assert await builds.turns.pair(0, builds.measure) == {"old": 0.0, "new": 0.0}
    assert builds.measured == [("old", 0), ("old", 0), ("new", 0)]
    assert builds.recovered == 1
    assert builds.said == [
        "turn 1 failed with the new build: RuntimeError: HTTP/1.1 500",
        "both builds get new people, and the turn is repeated",
    ]
    assert [(each.turn, each.side) for each in builds.turns.failures] == [(0, "new")]


async def test_too_many_that_fail_are_no_measurement() -> None:
    failing: list[tuple[Name, int]] = [("old", 3)] * (MOST_FAILURES + 1)
    builds = Builds(*failing)
    with pytest.raises(CannotMeasure, match="6 turns failed"):
        await builds.turns.pair(3, builds.measure)
    assert builds.recovered == MOST_FAILURES


async def test_what_several_people_met_at_once_is_told_in_one_line() -> None:
    builds = Builds()

    async def measure(side: Name, seed: int) -> float:
        if not builds.said:
            raise ExceptionGroup("people", [TimeoutError(), RuntimeError("a\nb")])
        return 1.0

    await builds.turns.pair(0, measure)
    assert builds.said[0] == "turn 1 failed with the old build: TimeoutError"


async def test_a_mistake_of_the_bench_itself_is_not_repeated() -> None:
    builds = Builds()

    async def measure(side: Name, seed: int) -> float:
        raise KeyError(side)

    with pytest.raises(KeyError):
        await builds.turns.pair(0, measure)
