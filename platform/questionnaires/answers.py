"""Answers as values: their spellings, and which questions they make visible.

The spelling is the same in forms, events and answers files: "F", "yes", a choice id, a text, a list of choice ids,
"dont_know" or {"not_applicable": reason}.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import TypeAlias

from pydantic import JsonValue

from questionnaires.definition import AllOf, AnyOf, Condition, Is, Kind, Question, Questionnaire

DONT_KNOW = "dont_know"
NOT_APPLICABLE = "not_applicable"
NPLF = ("N", "P", "L", "F")
YES_NO = ("yes", "no")
MAX_TEXT = 2_000
MAX_NUMBER = 10**15

Answers: TypeAlias = Mapping[str, JsonValue]
"""Answers by question id; a missing key (or None) is an unanswered question."""


def _(message: str) -> str:
    """Mark a message for the translators. Django's own gettext would make the scoring engine depend on Django."""
    return message


class InvalidAnswer(ValueError):
    """An answer that the question does not take. `str()` is a sentence for the person who gave it.

    `gettext(error.message) % error.params` is the same sentence in the language of the page.
    """

    def __init__(self, message: str, **params: object) -> None:
        self.message = message
        self.params = params
        super().__init__(message % params if params else message)


def clean_answer(question: Question, value: JsonValue) -> JsonValue:
    """Give the answer's one spelling, or None for "not answered".

    Raises InvalidAnswer for what the question does not take.
    """
    if value is None or value == "":
        return None
    if value == DONT_KNOW and question.dont_know:
        return DONT_KNOW
    if isinstance(value, dict):
        return _clean_not_applicable(question, value)
    return _CLEANERS[question.kind](question, value)


def visible_questions(questionnaire: Questionnaire, answers: Answers) -> tuple[Question, ...]:
    """The questions to ask, in order, given the answers so far.

    A reference to an unanswered or hidden question is false.
    """
    if not questionnaire.has_conditions:
        return questionnaire.questions
    visible: list[Question] = []
    hidden: set[str] = set()
    for question in questionnaire.questions:
        if question.when is None or _holds(question.when, answers, hidden):
            visible.append(question)
        else:
            hidden.add(question.id)
    return tuple(visible)


def needed_to_submit(questionnaire: Questionnaire, answers: Answers) -> tuple[Question, ...]:
    """The visible questions that still need an answer before submitting.

    Those are the required ones (every scored question is) and those that conditions use.
    """
    used = questionnaire.used_by_conditions
    return tuple(
        question
        for question in visible_questions(questionnaire, answers)
        if (question.required or question.id in used) and answers.get(question.id) is None
    )


def _holds(condition: Condition, answers: Answers, hidden: Collection[str]) -> bool:
    if isinstance(condition, Is):
        return condition.question not in hidden and _matches(answers.get(condition.question), condition.is_)
    if isinstance(condition, AllOf):
        return all(_holds(part, answers, hidden) for part in condition.all)
    if isinstance(condition, AnyOf):
        return any(_holds(part, answers, hidden) for part in condition.any)
    return not _holds(condition.not_, answers, hidden)


def _matches(value: JsonValue, wanted: tuple[str, ...]) -> bool:
    if isinstance(value, dict):
        return NOT_APPLICABLE in wanted
    if isinstance(value, list):
        return any(item in wanted for item in value)
    return value in wanted


def _clean_not_applicable(question: Question, value: dict[str, JsonValue]) -> JsonValue:
    reason = value.get(NOT_APPLICABLE)
    if set(value) != {NOT_APPLICABLE} or not isinstance(reason, str):
        raise InvalidAnswer(_("This is not an answer that the question takes."))
    if not (question.scored and question.not_applicable):
        raise InvalidAnswer(_("This question cannot be marked as not applicable."))
    if not (reason := _clean_words(reason)):
        raise InvalidAnswer(_("Say why this does not apply to you."))
    return {NOT_APPLICABLE: reason}


def _clean_words(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > MAX_TEXT:
        raise InvalidAnswer(
            _("Use at most %(limit)d characters; this text has %(length)d."), limit=MAX_TEXT, length=len(text)
        )
    # Cs: half a surrogate pair, which no database can store.
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t" for char in text):
        raise InvalidAnswer(_("Remove the control characters from this text."))
    return text


def _clean_nplf(question: Question, value: JsonValue) -> JsonValue:
    return _one_of(NPLF, value)


def _clean_yes_no(question: Question, value: JsonValue) -> JsonValue:
    return _one_of(YES_NO, value)


def _clean_single_choice(question: Question, value: JsonValue) -> JsonValue:
    return _one_of(question.choice_ids, value)


def _clean_multiple_choice(question: Question, value: JsonValue) -> JsonValue:
    if not isinstance(value, list):
        raise InvalidAnswer(_("Choose any of the offered answers."))
    chosen = {_one_of(question.choice_ids, item) for item in value}
    return [choice for choice in question.choice_ids if choice in chosen] or None


def _one_of(offered: tuple[str, ...], value: JsonValue) -> str:
    if not isinstance(value, str) or value not in offered:
        raise InvalidAnswer(_("Choose one of the offered answers: %(offered)s."), offered=", ".join(offered))
    return value


def _clean_number(question: Question, value: JsonValue) -> JsonValue:
    try:
        number = math.nan if isinstance(value, bool | list | dict) or value is None else float(value)
    except (ValueError, OverflowError):
        number = math.nan
    if not abs(number) <= MAX_NUMBER:  # also where it is not a number
        raise InvalidAnswer(_("Enter a number, for example 12 or 2.5."))
    return int(number) if number.is_integer() else number


def _clean_date(question: Question, value: JsonValue) -> JsonValue:
    try:
        return date.fromisoformat(value.strip() if isinstance(value, str) else "").isoformat()
    except ValueError:
        raise InvalidAnswer(_("Enter a date as year-month-day, for example 2026-05-31.")) from None


def _clean_text(question: Question, value: JsonValue) -> JsonValue:
    if not isinstance(value, str):
        raise InvalidAnswer(_("Enter a text."))
    return _clean_words(value) or None


_CLEANERS: dict[Kind, Callable[[Question, JsonValue], JsonValue]] = {
    "nplf": _clean_nplf,
    "yes_no": _clean_yes_no,
    "single_choice": _clean_single_choice,
    "multiple_choice": _clean_multiple_choice,
    "number": _clean_number,
    "date": _clean_date,
    "text": _clean_text,
}
