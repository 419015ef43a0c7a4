"""Score and band: weighted means, exact (SCORING 2 and 3; the flat weighted model of XCCDF 1.2, NISTIR 7275r4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from security.scoring.items import Item
from security.scoring.values import ZERO


@dataclass(frozen=True, slots=True)
class Tally:
    """The sums that a score is made of."""

    weight: Fraction = ZERO
    """Of all counted items."""
    achieved: Fraction = ZERO
    """Weight times value, with don't-knows as 0."""
    unknown: Fraction = ZERO
    """Weight of the don't-knows."""

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.weight + other.weight, self.achieved + other.achieved, self.unknown + other.unknown)

    @property
    def score(self) -> Fraction | None:
        """From 0 to 100, with don't-knows as 0; None where nothing is counted."""
        return 100 * self.achieved / self.weight if self.weight else None

    @property
    def score_high(self) -> Fraction | None:
        """From 0 to 100, with don't-knows as 1; None where nothing is counted."""
        if not self.unknown:
            return self.score
        return 100 * (self.achieved + self.unknown) / self.weight


def tally(items: Iterable[Item]) -> Tally:
    """Add up the counted ones among the items."""
    weight = achieved = unknown = ZERO
    for item in items:
        if item.value is None:
            continue
        weight += item.weight
        if item.state == "unknown":
            unknown += item.weight
        elif item.value:
            achieved += item.weight * item.value
    return Tally(weight, achieved, unknown)
