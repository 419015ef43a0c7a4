"""Answers as values: their spellings, and which questions they make visible.

The spelling is the same in forms, events and answers files: "F", "yes", a choice id, a text, a list of choice ids,
"dont_know" or {"not_applicable": reason}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from pydantic import JsonValue

from questionnaires.definition import Question, Questionnaire

DONT_KNOW = "dont_know"
NOT_APPLICABLE = "not_applicable"

Answers: TypeAlias = Mapping[str, JsonValue]
"""Answers by question id; a missing key (or None) is an unanswered question."""


class InvalidAnswer(ValueError):
    """An answer that the question does not take. `str()` is a sentence for the person who gave it."""


def clean_answer(question: Question, value: JsonValue) -> JsonValue:
    """Give the answer's one spelling, or None for "not answered"; raises InvalidAnswer for what the question does not take."""
    raise NotImplementedError


def visible_questions(questionnaire: Questionnaire, answers: Answers) -> tuple[Question, ...]:
    """The questions to ask, in order, given the answers so far (SCORING 1: a reference to an unanswered or hidden question is false)."""
    raise NotImplementedError


def needed_to_submit(questionnaire: Questionnaire, answers: Answers) -> tuple[Question, ...]:
    """The visible questions that still need an answer before submitting: scored ones that are required, and profile questions that conditions use."""
    raise NotImplementedError
