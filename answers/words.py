"""Answers in words that a person would use."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import JsonValue

from questionnaires.answers import DONT_KNOW, NOT_APPLICABLE
from questionnaires.definition import Question

NPLF_WORDS = {
    "N": (gettext_lazy("Not in place"), gettext_lazy("Nothing, or next to nothing, is done.")),
    "P": (gettext_lazy("Partly"), gettext_lazy("Begun, with large gaps.")),
    "L": (gettext_lazy("Mostly"), gettext_lazy("Done, with a few gaps that you know of.")),
    "F": (gettext_lazy("Fully"), gettext_lazy("Done everywhere, and you could show it.")),
}
YES_NO_WORDS = {"yes": gettext_lazy("Yes"), "no": gettext_lazy("No")}


def describe(question: Question, value: JsonValue) -> str:
    """An answer as a person reads it. What the question does not take is given as it was typed."""
    if value is None or value == "" or value == []:
        return _("No answer")
    if value == DONT_KNOW:
        return _("Don't know")
    if isinstance(value, dict):
        return _("Not applicable: %(reason)s") % {"reason": value.get(NOT_APPLICABLE, "")}
    if isinstance(value, list):
        return ", ".join(describe_one(question, str(item)) for item in value)
    return describe_one(question, str(value))


def describe_one(question: Question, value: str) -> str:
    if question.kind == "nplf" and value in NPLF_WORDS:
        return str(NPLF_WORDS[value][0])
    if question.kind == "yes_no" and value in YES_NO_WORDS:
        return str(YES_NO_WORDS[value])
    if question.kind == "number" and question.unit:
        return f"{value} {question.unit}"
    return next((choice.text for choice in question.choices if choice.id == value), value)
