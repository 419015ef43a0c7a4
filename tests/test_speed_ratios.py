"""What is said of two builds' figures: ratios of speed, the interval of their median, the verdict."""

from __future__ import annotations

import random

import pytest

from tests.bench.against.ratios import Comparison, Interval, Kind, interval_of_median, speed


def compared(ratios: list[float], kind: Kind = "rate") -> Comparison:
    """A figure of which the old build's is 100 in each turn."""
    new = tuple(100 * ratio if kind == "rate" else 100 / ratio for ratio in ratios)
    return Comparison("embedded", "flows a second", kind, "a second", new, (100.0,) * len(ratios), (200.0,))


def spread(low: float, median: float, high: float) -> list[float]:
    """Fifteen ratios with that median, of which the interval is from low to high: the 4th and the 12th."""
    return [low] * 4 + [median] * 7 + [high] * 4


def test_a_rate_that_halves_and_a_time_that_doubles_are_both_half_the_speed() -> None:
    assert speed(50, 100, "rate") == 0.5
    assert speed(20, 10, "time") == 0.5
    assert speed(10, 10, "time") == speed(7, 7, "rate") == 1.0


def test_of_fifteen_turns_the_interval_is_from_the_fourth_to_the_twelfth() -> None:
    turns = [1.15, 1.01, 1.12, 1.03, 1.08, 1.05, 1.06, 1.07, 1.04, 1.09, 1.10, 1.11, 1.02, 1.13, 1.14]
    assert interval_of_median(turns) == Interval(1.04, 1.12, 0.96484375)


@pytest.mark.parametrize(
    ("turns", "low", "high", "coverage"),
    [(1, 1, 1, 0.0), (2, 1, 2, 0.5), (5, 1, 5, 0.9375), (6, 1, 6, 0.96875), (9, 2, 8, 0.9609375), (31, 10, 22, 0.97)],
)
def test_the_ranks_are_the_narrowest_that_hold_the_median_often_enough(
    turns: int, low: int, high: int, coverage: float
) -> None:
    found = interval_of_median(list(range(1, turns + 1)))
    assert (found.low, found.high) == (low, high)
    assert found.coverage == pytest.approx(coverage, abs=0.001)
    assert found.is_certain is (turns >= 6)


def test_the_interval_holds_the_true_median_about_as_often_as_it_says() -> None:
    dice = random.Random(11)  # noqa: S311
    held = 0
    for _ in range(2000):
        found = interval_of_median([dice.lognormvariate(0, 0.2) for _ in range(15)])
        held += found.low <= 1.0 <= found.high
    assert 0.95 <= held / 2000 <= 0.98


@pytest.mark.parametrize("kind", ["rate", "time"])
@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        (spread(0.91, 1.0, 1.1), "not slower"),
        (spread(0.905, 0.975, 1.0), "not slower"),
        (spread(0.95, 0.96, 1.0), "not shown to be as fast"),
        (spread(0.89, 1.0, 1.1), "not shown to be as fast"),
        (spread(0.80, 0.85, 0.88), "not shown to be as fast"),
        (spread(0.80, 0.85, 0.86), "slower: the whole interval is below 0.87"),
        ([0.5] * 5, "too few turns to say"),
        ([1.0] * 5, "too few turns to say"),
    ],
)
def test_the_verdict(ratios: list[float], verdict: str, kind: Kind) -> None:
    found = compared(ratios, kind)
    assert found.verdict == verdict
    assert found.is_not_slower is (verdict == "not slower")
    assert found.is_refused is verdict.startswith("slower")


def test_ratios_are_of_pairs_so_a_slow_minute_of_the_machine_is_none_of_the_builds() -> None:
    old = (100.0, 50.0, 25.0, 100.0, 50.0, 25.0)
    figure = Comparison("production", "flows a second", "rate", "a second", tuple(0.98 * each for each in old), old, ())
    assert figure.median == pytest.approx(0.98)
    assert [figure.interval.low, figure.interval.high] == pytest.approx([0.98, 0.98])


def test_who_is_driven_first_is_none_of_the_builds_either() -> None:
    alternating = [0.9 / 1.1, 0.9 * 1.1] * 7 + [0.9 / 1.1]
    figure = compared(alternating)
    assert figure.order_effect == pytest.approx(1.1)
    assert figure.fair_ratios == pytest.approx([0.9] * 15)
    assert [figure.interval.low, figure.median, figure.interval.high] == pytest.approx([0.9] * 3)


def test_one_turn_says_nothing_of_who_is_driven_first() -> None:
    assert compared([0.8]).order_effect == 1.0
    assert compared([0.8]).median == pytest.approx(0.8)
