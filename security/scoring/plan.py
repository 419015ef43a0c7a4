"""The action plan: what to do first, and where each step leads (SCORING 7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Literal, NamedTuple

from questionnaires.definition import Question
from security.scoring.items import Item
from security.scoring.rating import Rating, cap, gate_fails, rating_of

Wave = Literal["now", "next", "later"]

NOW = Fraction(3, 2)
NEXT = Fraction(3, 4)


@dataclass(frozen=True, slots=True)
class Action:
    """One step of the plan: bring one item to its target."""

    item: Item
    wave: Wave
    effort: Fraction
    """From 1 to 3: the mean of cost and complexity."""
    benefit: Fraction
    """Weight times the gain in value."""
    points: Fraction
    """What reaching the target adds to the score."""
    projected_score: Fraction
    """The score once this action and all before it are done."""
    projected_rating: Rating

    @property
    def question(self) -> Question:
        return self.item.question


class _Candidate(NamedTuple):
    item: Item
    failed_gate: bool
    effort: Fraction
    benefit: Fraction
    ratio: Fraction

    @property
    def rank(self) -> tuple[bool, Fraction, Fraction, str]:
        return not self.failed_gate, -self.ratio, self.effort, self.item.id

    @property
    def wave(self) -> Wave:
        if self.failed_gate or self.ratio >= NOW:
            return "now"
        return "next" if self.ratio >= NEXT else "later"


def plan_of(open_items: Iterable[Item], *, score: Fraction, point: Fraction, failed_gates: int) -> tuple[Action, ...]:
    """The actions in the order in which to take them; `point` is what one unit of weight adds to the score."""
    actions = []
    for candidate in sorted(map(_candidate, open_items), key=lambda candidate: candidate.rank):
        points = point * candidate.benefit
        score += points
        failed_gates -= candidate.failed_gate
        actions.append(
            Action(
                item=candidate.item,
                wave=candidate.wave,
                effort=candidate.effort,
                benefit=candidate.benefit,
                points=points,
                projected_score=score,
                projected_rating=cap(rating_of(score), failed_gates),
            )
        )
    return tuple(actions)


@lru_cache
def effort_of(cost: int, complexity: int) -> Fraction:
    """The mean of the two levels."""
    return Fraction(cost + complexity, 2)


def _candidate(item: Item) -> _Candidate:
    effort = effort_of(item.question.cost, item.question.complexity)
    benefit = item.weight * (item.target - item.value if item.value else item.target)
    return _Candidate(item, gate_fails(item), effort, benefit, benefit / effort)
