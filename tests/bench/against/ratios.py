"""How fast one build is beside another: the median of paired ratios, and what can be said of it.

The interval is that of the median by order statistics: it takes nothing for granted but that the turns are alike, and
the same turns always give the same interval. Turns are not alike where it matters which build is driven first: the
second one works beside what the first has left to the services. So that is measured and taken out, as in a crossover
trial.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, sqrt
from typing import Literal

from tests.bench.against.turns import order_of

CONFIDENCE = 0.95
NOT_SLOWER = 0.97
"""What the median has to reach ..."""
NOT_SLOWER_AT_LEAST = 0.90
"""... and the lower bound of its interval."""
GATE = 0.87
"""An interval that is below it as a whole is refused by `make bench-gate`."""
FEWEST_TURNS = 15
"""What a verdict that counts is made of."""

Kind = Literal["rate", "time"]
"""What a figure is: more is faster, or less is."""


def speed(new: float, old: float, kind: Kind) -> float:
    """How fast the new build is: 1 is equal, below 1 is slower."""
    return new / old if kind == "rate" else old / new


@dataclass(frozen=True)
class Interval:
    """Where the median is with a probability of `coverage`, if that is at least CONFIDENCE."""

    low: float
    high: float
    coverage: float

    @property
    def is_certain(self) -> bool:
        """Whether there were turns enough for an interval of that confidence: with fewer than six there are not."""
        return self.coverage >= CONFIDENCE


def interval_of_median(samples: Sequence[float]) -> Interval:
    """The narrowest pair of samples, equally far from both ends, that holds the median with CONFIDENCE.

    With too few samples it is all of them, and its coverage says so.
    """
    ranked, count = sorted(samples), len(samples)
    rank = max((each for each in range(1, count // 2 + 1) if _coverage(each, count) >= CONFIDENCE), default=1)
    return Interval(ranked[rank - 1], ranked[count - rank], _coverage(rank, count))


def _coverage(rank: int, count: int) -> float:
    """The probability that the median is between the rank-th smallest and the rank-th largest of so many samples."""
    return 1.0 - 2.0 * sum(comb(count, below) for below in range(rank)) / 2.0**count


@dataclass(frozen=True)
class Comparison:
    """One figure of both builds, turn by turn."""

    mode: str
    figure: str
    kind: Kind
    unit: str
    new: tuple[float, ...]
    old: tuple[float, ...]
    floor: tuple[float, ...]
    """The least that the machine needed for it, in the same minutes."""

    @property
    def ratios(self) -> list[float]:
        """The ratio of speed in each turn."""
        return [speed(new, old, self.kind) for new, old in zip(self.new, self.old, strict=True)]

    @property
    def order_effect(self) -> float:
        """How fast a build is that is driven first in its pair, beside the same build driven second; 1: no matter."""
        first: dict[str, list[float]] = {"old": [], "new": []}
        for turn, ratio in enumerate(self.ratios):
            first[order_of(turn)[0]].append(ratio)
        if not all(first.values()):
            return 1.0
        return sqrt(statistics.median(first["new"]) / statistics.median(first["old"]))

    @property
    def fair_ratios(self) -> list[float]:
        """The ratio of speed in each turn, as if both builds had been driven first."""
        effect = self.order_effect
        return [
            ratio / effect if order_of(turn)[0] == "new" else ratio * effect for turn, ratio in enumerate(self.ratios)
        ]

    @property
    def median(self) -> float:
        """The ratio of speed that is printed and judged."""
        return statistics.median(self.fair_ratios)

    @property
    def interval(self) -> Interval:
        return interval_of_median(self.fair_ratios)

    @property
    def is_not_slower(self) -> bool:
        """What every issue has to show against the build before it."""
        return self.interval.is_certain and self.median >= NOT_SLOWER and self.interval.low >= NOT_SLOWER_AT_LEAST

    @property
    def is_refused(self) -> bool:
        """Whether it is slower beyond doubt."""
        return self.interval.is_certain and self.interval.high < GATE

    @property
    def verdict(self) -> str:
        """In words."""
        if not self.interval.is_certain:
            return "too few turns to say"
        if self.is_refused:
            return f"slower: the whole interval is below {GATE}"
        return "not slower" if self.is_not_slower else "not shown to be as fast"
