"""Items: the visible scored questions, each with what its answer came to."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from pydantic import JsonValue

from questionnaires.answers import DONT_KNOW, NOT_APPLICABLE, Answers, visible_questions
from questionnaires.definition import Question, Questionnaire
from security.scoring.values import ZERO, target_of, value_of, weight_of

State = Literal["known", "unknown", "not_applicable", "unanswered"]
"""unknown: answered "don't know". Known and unknown ones are counted, the others leave numerator and denominator."""


@dataclass(frozen=True, slots=True)
class Item:
    """One visible scored question as it was answered."""

    question: Question
    answer: JsonValue
    """As in an answers file; None: unanswered."""
    state: State
    weight: Fraction
    value: Fraction | None
    """From 0 to 1; None where it is not counted."""
    target: Fraction

    @property
    def id(self) -> str:
        """The question's id."""
        return self.question.id


def items_of(questionnaire: Questionnaire, answers: Answers) -> tuple[Item, ...]:
    """The visible scored questions in order; raises NoValue for an answer that its question does not take."""
    return tuple(
        _item(question, answers.get(question.id))
        for question in visible_questions(questionnaire, answers)
        if question.scored
    )


def _item(question: Question, answer: JsonValue) -> Item:
    state = _state(answer)
    value = value_of(question, answer) if state == "known" else ZERO if state == "unknown" else None
    return Item(question, answer, state, weight_of(question), value, target_of(question))


def _state(answer: JsonValue) -> State:
    # An empty text or list is what a form sends for a question that was passed over.
    if answer is None or answer == "" or answer == []:
        return "unanswered"
    if answer == DONT_KNOW:
        return "unknown"
    return "not_applicable" if isinstance(answer, dict) and NOT_APPLICABLE in answer else "known"
