"""Answers as values: their spellings, and which questions they make visible.

The spelling is the same in forms, events and answers files: "F", "yes", a choice id, a text, a list of choice ids,
"dont_know" or {"not_applicable": reason}. A text that reads "dont_know" itself is {"text": "dont_know"}; any other text
may be given like that, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import TypeAlias

from pydantic import JsonValue

from questionnaires.definition import AllOf, AnyOf, Condition, Is, Kind, Question, Questionnaire
from questionnaires.numbers import MAX_NUMBER as MAX_NUMBER
from questionnaires.numbers import clean_number, read_number
from questionnaires.refusals import InvalidAnswer as InvalidAnswer
from questionnaires.refusals import marked as _
from questionnaires.texts import as_seen, clean_text, is_readable

DONT_KNOW = "dont_know"
NOT_APPLICABLE = "not_applicable"
NPLF = ("N", "P", "L", "F")
YES_NO = ("yes", "no")
TEXT = "text"
WRITTEN = ("text", "number", "date")
"""The kinds with a field to write in."""
MAX_TEXT = 2_000
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")

Answers: TypeAlias = Mapping[str, JsonValue]
"""Answers by question id; a missing key (or None) is an unanswered question."""


def clean_answer(question: Question, value: JsonValue) -> JsonValue:
    """Give the answer's one spelling, or None for "not answered".

    Raises InvalidAnswer for what the question does not take.
    """
    if value is None or value == "":
        return None
    if value == DONT_KNOW and question.dont_know:
        return DONT_KNOW
    if isinstance(value, dict) and not (question.kind in WRITTEN and TEXT in value):
        return _clean_not_applicable(question, value)
    return _CLEANERS[question.kind](question, value)


def is_dont_know(question: Question | None, value: JsonValue) -> bool:
    """Whether a stored answer is "don't know", and no text of these letters to a question that does not offer it."""
    return value == DONT_KNOW and (question is None or question.dont_know or question.kind != "text")


def is_not_applicable(value: JsonValue) -> bool:
    """Whether the answer is "not applicable"."""
    return isinstance(value, dict) and NOT_APPLICABLE in value


def typed(text: str) -> JsonValue:
    """The answer for what stands in the field of a text, be it the letters that mean "don't know" elsewhere."""
    return {TEXT: text} if text == DONT_KNOW else text


def plain(value: JsonValue) -> JsonValue:
    """An answer as people read and write it: a text without the wrapping that tells it from "don't know"."""
    return value[TEXT] if isinstance(value, dict) and TEXT in value else value


def visible_questions(questionnaire: Questionnaire, answers: Answers) -> tuple[Question, ...]:
    """The questions to ask, in order, given the answers so far.

    A reference to an unanswered or hidden question is false.
    """
    if not questionnaire.has_conditions:
        return questionnaire.questions
    visible: list[Question] = []
    hidden: set[str] = set()
    for question in questionnaire.questions:
        if question.when is None or holds(question.when, answers, hidden):
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


def holds(condition: Condition, answers: Answers, hidden: Collection[str] = ()) -> bool:
    """Whether a condition is true with these answers, where the questions of these ids are not asked."""
    if isinstance(condition, Is):
        return condition.question not in hidden and _matches(answers.get(condition.question), condition.is_)
    if isinstance(condition, AllOf):
        return all(holds(part, answers, hidden) for part in condition.all)
    if isinstance(condition, AnyOf):
        return any(holds(part, answers, hidden) for part in condition.any)
    return not holds(condition.not_, answers, hidden)


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
    if not (reason := clean_text(reason, limit=MAX_TEXT, what="reason")):
        raise InvalidAnswer(_("Say why this does not apply to you."))
    if not is_readable(reason):
        raise InvalidAnswer(_("Say in words why this does not apply to you, for example “We have no servers.”."))
    return {NOT_APPLICABLE: reason}


def _clean_nplf(question: Question, value: JsonValue) -> JsonValue:
    return _one_of(NPLF, value)


def _clean_yes_no(question: Question, value: JsonValue) -> JsonValue:
    return _one_of(YES_NO, value)


def _clean_single_choice(question: Question, value: JsonValue) -> JsonValue:
    return _one_of(question.choice_ids, value)


def _clean_multiple_choice(question: Question, value: JsonValue) -> JsonValue:
    if not isinstance(value, list):
        raise InvalidAnswer(_("Choose any of the offered answers."))
    # Each once before it is looked at: thousands may be the same.
    given = {item if isinstance(item, str) else None for item in value}
    chosen = {_one_of(question.choice_ids, item) for item in given}
    return [choice for choice in question.choice_ids if choice in chosen] or None


def _one_of(offered: tuple[str, ...], value: JsonValue) -> str:
    if not isinstance(value, str) or value not in offered:
        raise InvalidAnswer(_("Choose one of the offered answers: %(offered)s."), offered=", ".join(offered))
    return value


def _clean_number(question: Question, value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return read_number(value) if as_seen(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidAnswer(_("Enter a number, for example 12 or 2.5."))
    return clean_number(value)


def _clean_date(question: Question, value: JsonValue) -> JsonValue:
    if isinstance(value, str) and not as_seen(value):
        return None
    try:
        return read_date(value).isoformat()
    except ValueError:
        raise InvalidAnswer(_("Enter a date as year-month-day, for example 2026-05-31.")) from None


def read_date(value: JsonValue) -> date:
    """The day that a person wrote as year-month-day; raises ValueError for the other spellings of ISO 8601 as well."""
    written = as_seen(value) if isinstance(value, str) else ""
    if not _DATE.fullmatch(written):
        raise ValueError
    return date.fromisoformat(written)


def _clean_text(question: Question, value: JsonValue) -> JsonValue:
    given = plain(value)
    if not isinstance(given, str) or (isinstance(value, dict) and set(value) != {TEXT}):
        raise InvalidAnswer(_("Enter a text."))
    return typed(clean_text(given, limit=MAX_TEXT)) or None


_CLEANERS: dict[Kind, Callable[[Question, JsonValue], JsonValue]] = {
    "nplf": _clean_nplf,
    "yes_no": _clean_yes_no,
    "single_choice": _clean_single_choice,
    "multiple_choice": _clean_multiple_choice,
    "number": _clean_number,
    "date": _clean_date,
    "text": _clean_text,
}
