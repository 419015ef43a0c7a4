"""What changed since an earlier evaluation of the same questionnaire line (SCORING 8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from questionnaires.definition import Question
from security.scoring.document import comparison_document
from security.scoring.evaluation import Evaluation
from security.scoring.items import Item
from security.scoring.values import ZERO

Change = Literal["resolved", "improved", "regressed", "newly_asked", "no_longer_applicable"]


class DifferentQuestionnaires(ValueError):
    """Two evaluations of different questionnaire lines; their scores do not measure the same thing."""

    def __init__(self, previous: str, current: str) -> None:
        super().__init__(f'An evaluation of "{current}" cannot be compared with one of "{previous}".')


@dataclass(frozen=True, slots=True)
class ItemChange:
    """One item that differs."""

    question: Question
    change: Change
    points: Fraction | None
    """What it added to the score or took from it; None where it is not counted in both."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The total, its two parts, and each item that changed. The three figures are always shown apart."""

    delta: Fraction | None
    """The new score less the earlier one; None where either is missing."""
    scope_effect: Fraction | None
    """The part of it that comes from other questions or weights being counted; None with `delta`."""
    items: tuple[ItemChange, ...]
    """In the current questionnaire's order; at the end those that it no longer asks, in the earlier one's."""

    @property
    def answers_effect(self) -> Fraction | None:
        """The part of it that comes from better or worse answers; None with `delta`."""
        if self.delta is None or self.scope_effect is None:
            return None
        return self.delta - self.scope_effect

    def to_document(self) -> dict[str, Any]:
        """The comparison as JSON-ready values: what belongs into the evaluation's `comparison`."""
        return comparison_document(self)


def compare(previous: Evaluation, current: Evaluation) -> Comparison:
    """Say what changed from the earlier evaluation to the current one.

    The editions of the questionnaire may differ, its slug may not: raises DifferentQuestionnaires.
    """
    if previous.questionnaire.slug != current.questionnaire.slug:
        raise DifferentQuestionnaires(previous.questionnaire.slug, current.questionnaire.slug)
    items = tuple(_changes(_counted(previous), _counted(current), current))
    if previous.score is None or current.score is None:
        return Comparison(None, None, items)
    delta = current.score - previous.score
    return Comparison(delta, delta - sum((item.points or ZERO for item in items), ZERO), items)


def _counted(evaluation: Evaluation) -> dict[str, Item]:
    return {item.id: item for item in evaluation.items if item.value is not None}


def _changes(before: dict[str, Item], after: dict[str, Item], current: Evaluation) -> Iterator[ItemChange]:
    for question in current.questionnaire.questions:
        old, new = before.get(question.id), after.get(question.id)
        if old and new:
            yield from _difference(old, new, current.weight)
        elif new:
            yield ItemChange(question, "newly_asked", None)
        elif old:
            yield ItemChange(question, "no_longer_applicable", None)
    for old in before.values():
        if old.id not in current.questionnaire.by_id:
            yield ItemChange(old.question, "no_longer_applicable", None)


def _difference(old: Item, new: Item, weight: Fraction) -> Iterator[ItemChange]:
    gain = (new.value or ZERO) - (old.value or ZERO)
    if gain:
        yield ItemChange(new.question, _change(old, new), 100 * new.weight * gain / weight)


def _change(old: Item, new: Item) -> Change:
    earlier, now = old.value or ZERO, new.value or ZERO
    if now < earlier:
        return "regressed"
    return "resolved" if earlier < new.target <= now else "improved"
