"""Values: what one answer is worth, from 0 to 1 (SCORING 1)."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

from pydantic import JsonValue

from questionnaires.definition import Impact, Kind, Question

ZERO = Fraction(0)
ONE = Fraction(1)
THIRD = Fraction(1, 3)

NPLF = MappingProxyType({"N": ZERO, "P": THIRD, "L": 2 * THIRD, "F": ONE})
"""ISO/IEC 33020: not, partially, largely, fully achieved."""

YES_NO = MappingProxyType({"yes": ONE, "no": ZERO})

IMPACT_WEIGHTS: MappingProxyType[Impact, int] = MappingProxyType({"high": 3, "moderate": 2, "low": 1})

_ROUNDED_THIRD = Fraction(1, 200)


class NoValue(ValueError):
    """An answer that is worth nothing definite for its question. The message names the question, never the answer."""

    def __init__(self, question: Question) -> None:
        super().__init__(f"{question.id}: this is not an answer to a scored question of the kind {question.kind!r}.")


@lru_cache(maxsize=4096)
def exact(number: float) -> Fraction:
    """The number as its author wrote it: 0.1 is 1/10, not the binary fraction next to it."""
    return Fraction(str(number))


@lru_cache(maxsize=1024)
def _weight(impact: Impact, factor: float) -> Fraction:
    return IMPACT_WEIGHTS[impact] * exact(factor)


def weight_of(question: Question) -> Fraction:
    """What the question weighs in every mean: its impact times the author's weight."""
    return _weight(question.impact, question.weight)


@lru_cache(maxsize=1024)
def _nearest_level(target: float) -> Fraction:
    third = Fraction(round(exact(target) * 3), 3)
    return third if abs(third - exact(target)) < _ROUNDED_THIRD else exact(target)


def target_of(question: Question) -> Fraction:
    """The value from which on the question is no finding.

    N-P-L-F knows only thirds, which no decimal spells: there 0.67 and 0.6667 mean "largely".
    """
    return _nearest_level(question.target) if question.kind == "nplf" else exact(question.target)


def value_of(question: Question, answer: JsonValue) -> Fraction:
    """What a definite answer (neither "don't know" nor "not applicable") is worth; raises NoValue for anything else."""
    value = _VALUES[question.kind](question, answer) if question.kind in _VALUES else None
    if value is None:
        raise NoValue(question)
    return value


def _nplf(question: Question, answer: JsonValue) -> Fraction | None:
    return NPLF.get(answer) if isinstance(answer, str) else None


def _yes_no(question: Question, answer: JsonValue) -> Fraction | None:
    return YES_NO.get(answer) if isinstance(answer, str) else None


def _single_choice(question: Question, answer: JsonValue) -> Fraction | None:
    return next((exact(choice.value) for choice in question.choices if choice.id == answer), None)


def _multiple_choice(question: Question, answer: JsonValue) -> Fraction | None:
    weights = {choice.id: exact(choice.value) for choice in question.choices}
    if not isinstance(answer, list) or not all(isinstance(chosen, str) and chosen in weights for chosen in answer):
        return None
    selectable = sum(weights.values(), ZERO)
    selected = sum((weight for choice, weight in weights.items() if choice in answer), ZERO)
    return selected / selectable if selectable else ZERO


def _number(question: Question, answer: JsonValue) -> Fraction | None:
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        return None
    reached = [step for step in question.thresholds if step.at_least <= answer]
    return exact(max(reached, key=lambda step: step.at_least).value) if reached else ZERO


_VALUES: dict[Kind, Callable[[Question, JsonValue], Fraction | None]] = {
    "nplf": _nplf,
    "yes_no": _yes_no,
    "single_choice": _single_choice,
    "multiple_choice": _multiple_choice,
    "number": _number,
}
