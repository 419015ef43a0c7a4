"""Answers and controls in words that a person would use: one spelling, wherever they are asked for or shown."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from pydantic import JsonValue

from questionnaires.answers import DONT_KNOW, NOT_APPLICABLE, is_dont_know, is_not_applicable, plain
from questionnaires.definition import Question, References
from questionnaires.numbers import spelled

NPLF_LABELS: dict[str, tuple[Promise, Promise]] = {
    "N": (_("Not in place"), _("Nothing, or next to nothing, is done.")),
    "P": (_("Partly"), _("Begun, with large gaps.")),
    "L": (_("Mostly"), _("Done, with a few gaps that you know of.")),
    "F": (_("Fully"), _("Done everywhere, and you could show it.")),
}
"""Label and meaning of each step, in the order in which they are offered."""
YES_NO_LABELS: dict[str, Promise] = {"yes": _("Yes"), "no": _("No")}
SPECIAL_LABELS: dict[str, Promise] = {DONT_KNOW: _("Don't know"), NOT_APPLICABLE: _("Not applicable")}
NO_ANSWER = _("No answer")
FRAMEWORKS = {"cpg": "CISA CPG 2.0", "csf": "NIST CSF 2.0", "cyber_essentials": "Cyber Essentials"}


def answer_in_words(question: Question | None, value: JsonValue) -> str:
    """An answer as the page that asks it says it; the reason of "not applicable" is left to the caller.

    What the question does not take is given as it was typed, and so is everything where there is no question.
    """
    if value is None or value == "" or value == []:
        return str(NO_ANSWER)
    if is_dont_know(question, value):
        return str(SPECIAL_LABELS[DONT_KNOW])
    if is_not_applicable(value):
        return str(SPECIAL_LABELS[NOT_APPLICABLE])
    if isinstance(value, list):
        return ", ".join(_one_in_words(question, str(item)) for item in value)
    return _one_in_words(question, as_written(value))


def as_written(value: JsonValue) -> str:
    """A text, number or date as it stands in the field for it, which reads it back as the same."""
    value = plain(value)
    return spelled(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def reason_of(value: JsonValue) -> str:
    """Why something does not apply; empty for any other answer."""
    return str(value.get(NOT_APPLICABLE, "")) if isinstance(value, dict) else ""


def gap_of(question: Question) -> str:
    """What is missing where the answer to a scored question falls short, in a few words.

    The question itself says what would be true if nothing were missing, so it can't stand there.
    """
    return question.gap or str(_("Not in place: %(title)s")) % {"title": question.action or question.text}


def controls_in_words(references: References) -> list[tuple[str, str]]:
    """The published controls that a question stands for: name of the framework, ids."""
    return [(label, ", ".join(ids)) for name, label in FRAMEWORKS.items() if (ids := getattr(references, name))]


def _one_in_words(question: Question | None, value: str) -> str:
    if question is None:
        return value
    if question.kind == "nplf" and value in NPLF_LABELS:
        return str(NPLF_LABELS[value][0])
    if question.kind == "yes_no" and value in YES_NO_LABELS:
        return str(YES_NO_LABELS[value])
    if question.kind == "number" and question.unit:
        return f"{value} {question.unit}"
    return next((choice.text for choice in question.choices if choice.id == value), value)
