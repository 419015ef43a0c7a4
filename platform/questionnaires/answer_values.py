"""Answers in the GraphQL schema: one shape to read and to write, in which exactly one field is set.

What is stored is the spelling of `questionnaires.answers`; this translates, and checks nothing but the shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import graphene
from pydantic import JsonValue

from questionnaires.answers import (
    DONT_KNOW,
    MAX_TEXT,
    NOT_APPLICABLE,
    InvalidAnswer,
    is_dont_know,
    is_not_applicable,
    plain,
    read_date,
    typed,
)
from questionnaires.definition import Kind, Question
from questionnaires.numbers import MAX_NUMBER
from questionnaires.refusals import marked as _


class Date(graphene.Date):
    """
    The `Date` scalar type represents a Date
    value as specified by
    [iso8601](https://en.wikipedia.org/wiki/ISO_8601).
    """

    @staticmethod
    def parse_value(value: Any) -> date:
        """A day as it is sent; ISO 8601 has other spellings, which nothing else here reads."""
        try:
            return read_date(value)
        except ValueError:
            raise ValueError(f"Date cannot represent value: {value!r}") from None


_FIELDS: dict[str, tuple[Callable[..., Any], str]] = {
    "choice": (graphene.String, "To NPLF, YES_NO and SINGLE_CHOICE questions: the `value` of one of their options."),
    "choices": (
        lambda **about: graphene.List(graphene.NonNull(graphene.String), **about),
        "To MULTIPLE_CHOICE questions: the `value` of each option that was chosen.",
    ),
    "number": (graphene.Float, f"To NUMBER questions: from -{MAX_NUMBER:,} to {MAX_NUMBER:,}."),
    "date": (Date, "To DATE questions."),
    "text": (graphene.String, f"To TEXT questions: at most {MAX_TEXT:,} characters."),
    "dont_know": (graphene.Boolean, "True for “don't know”, where the question takes that."),
    "not_applicable": (
        graphene.String,
        f"For “not applicable”, where the question takes that: the reason, in at most {MAX_TEXT:,} characters.",
    ),
}
_NAMES = {"dont_know": "dontKnow", "not_applicable": "notApplicable"}
"""What clients call a field where that is not its name here."""
_FIELD_OF: dict[Kind, str] = {
    "nplf": "choice",
    "yes_no": "choice",
    "single_choice": "choice",
    "multiple_choice": "choices",
    "number": "number",
    "date": "date",
    "text": "text",
}


def _fields() -> dict[str, Any]:
    return {name: make(description=description) for name, (make, description) in _FIELDS.items()}


class AnswerValue(graphene.ObjectType):
    """What was answered. Exactly one field is not null; send it back as it is in an AnswerValueInput."""

    locals().update(_fields())


class AnswerValueInput(graphene.InputObjectType):
    """An answer to give. Set exactly one field, the one of the question's kind or of a special answer."""

    locals().update(_fields())


def to_graphql(question: Question | None, value: JsonValue) -> dict[str, Any] | None:
    """The fields of an AnswerValue; None where nothing was answered.

    Without its question, as in a report of an edition that is not installed, a choice can't be told from a text.
    """
    if value is None or value == "" or value == []:
        return None
    if is_dont_know(question, value):
        return {"dont_know": True}
    if isinstance(value, dict) and is_not_applicable(value):
        return {"not_applicable": str(value[NOT_APPLICABLE])}
    if question is not None and question.kind == "date":
        return {"date": date.fromisoformat(str(value))}
    return {_field_of(question, plain(value)): plain(value)}


def _field_of(question: Question | None, value: JsonValue) -> str:
    if question is not None:
        return _FIELD_OF[question.kind]
    if isinstance(value, list):
        return "choices"
    return "text" if isinstance(value, str) else "number"


def from_graphql(question: Question, given: Mapping[str, Any] | None) -> JsonValue:
    """The answer as it is stored, yet to be cleaned; raises InvalidAnswer for the shape of another question's."""
    if given is None:
        return None
    fields = [name for name, value in given.items() if value is not None]
    if len(fields) > 1:
        names = ", ".join(f"“{_NAMES.get(name, name)}”" for name in fields)
        raise InvalidAnswer(_("Set exactly one field of the answer, and leave out the others: %(names)s."), names=names)
    if not fields:
        raise InvalidAnswer(_("Set exactly one field of the answer; null takes it back."))
    (name,) = fields
    value = given[name]
    if name == "dont_know":
        return _dont_know(question, value=value)
    if name == "not_applicable":
        return {NOT_APPLICABLE: value}
    if name != _FIELD_OF[question.kind]:
        raise InvalidAnswer(_("An answer to this question goes into “%(field)s”."), field=_FIELD_OF[question.kind])
    return _FROM_FIELD.get(name, _as_given)(question, value)


def _dont_know(question: Question, *, value: bool) -> JsonValue:
    if not value:
        raise InvalidAnswer(_("“dontKnow” can only be true. Leave it out, or set the whole answer to null."))
    if not question.dont_know:
        raise InvalidAnswer(_("This question can't be answered with “don't know”."))
    return DONT_KNOW


def _as_given(question: Question, value: Any) -> JsonValue:
    given: JsonValue = value
    return given


def _choice(question: Question, value: str) -> JsonValue:
    # What is stored for "don't know" and for no answer at all is a text as well, and none of the options.
    if value == DONT_KNOW and question.dont_know:
        raise InvalidAnswer(_("For “don't know” set “dontKnow” to true instead of “choice”."))
    if not value:
        raise InvalidAnswer(_("Set “choice” to the value of an option; null in place of the answer takes it back."))
    return value


_FROM_FIELD: dict[str, Callable[[Question, Any], JsonValue]] = {
    "choice": _choice,
    "date": lambda _question, value: value.isoformat(),
    "text": lambda _question, value: typed(value),
}
