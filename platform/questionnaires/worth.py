"""What the answers to a scored question can be worth, from 0 to 1: the promises that its author makes (SCORING 1)."""

from __future__ import annotations

from fractions import Fraction

from questionnaires.definition import Question
from questionnaires.numbers import MAX_NUMBER

THIRD = Fraction(1, 3)
"""Below it a gate fails."""

_HALF_A_PERCENT = Fraction(1, 200)


def exact(number: float) -> Fraction:
    """The number as its author wrote it."""
    return Fraction(str(number))


def worths(question: Question) -> frozenset[Fraction]:
    """Every value that an answer can have. Of a multiple choice, which has many, the greatest and the least."""
    if question.kind == "nplf":
        return frozenset((Fraction(0), THIRD, 2 * THIRD, Fraction(1)))
    if question.kind == "single_choice":
        return frozenset(exact(choice.value) for choice in question.choices)
    if question.kind == "number":
        below = {Fraction(0)} if not question.thresholds or question.thresholds[0].at_least > -MAX_NUMBER else set()
        return frozenset({exact(step.value) for step in question.thresholds if step.at_least <= MAX_NUMBER} | below)
    return frozenset((Fraction(0), Fraction(1)))


def target_of(question: Question) -> Fraction:
    """From which value on there is nothing to do. N-P-L-F knows only thirds, which 0.33 and 0.67 mean there."""
    target = exact(question.target)
    third = Fraction(round(target * 3), 3)
    return third if question.kind == "nplf" and abs(third - target) < _HALF_A_PERCENT else target
