"""Pydantic's findings, turned into sentences for the author of a questionnaire."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, TypeAlias

from django.utils.translation import gettext as _
from pydantic_core import ErrorDetails

from questionnaires.definition import (
    FORMAT,
    AllOf,
    AnyOf,
    Choice,
    Domain,
    Is,
    Model,
    Not,
    Question,
    Questionnaire,
    References,
    Section,
    Threshold,
)
from questionnaires.numbers import read_number, spelled
from questionnaires.refusals import InvalidAnswer
from questionnaires.yaml_lines import Document, Path, Problem

Sentences: TypeAlias = tuple[str, str]
"""What is wrong, and what to do."""

_MODELS: dict[str, tuple[type[Model], ...]] = {
    "sections": (Section,),
    "questions": (Question,),
    "choices": (Choice,),
    "thresholds": (Threshold,),
    "domains": (Domain,),
    "references": (References,),
    **dict.fromkeys(("when", "all", "any", "not"), (Is, AllOf, AnyOf, Not)),
}


def explain(document: Document, error: ErrorDetails) -> Problem:
    """Say what pydantic found, with the line where it stands and the question it belongs to."""
    path = _path_in(document, error["loc"])
    wrong, advice = _EXPLANATIONS.get(error["type"], _other)(path, error)
    return Problem(document.line_of(path), _owner(document, path) + wrong, advice)


def _path_in(document: Document, location: tuple[str | int, ...]) -> Path:
    """The location without the names of union branches, which stand in no file."""
    path: Path = ()
    for position, part in enumerate(location):
        if (*path, part) in document.lines or position == len(location) - 1:
            path = (*path, part)
    return path


def _owner(document: Document, path: Path) -> str:
    """The question in which the mistake is, to begin the sentence with."""
    value: Any = document.value
    owner = ""
    for depth, part in enumerate(path[:4]):
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return owner
        if depth == 3 and isinstance(value, dict) and isinstance(value.get("id"), str):
            owner = _("Question %(id)s: ") % {"id": value["id"][:64]}
    return owner


def _name(path: Path) -> str:
    keys = [part for part in path if isinstance(part, str)]
    return keys[-1] if keys else _("The file")


def _missing(path: Path, error: ErrorDetails) -> Sentences:
    return _("“%(key)s” is missing.") % {"key": path[-1]}, _("Add a line “%(key)s: ...” here.") % {"key": path[-1]}


def _unknown_key(path: Path, error: ErrorDetails) -> Sentences:
    key = str(path[-1])[:40]
    known = _known_keys(path[:-1])
    wrong = _("“%(key)s” is not part of the format here.") % {"key": key}
    if error["input"] is None and " " in key:
        return wrong, _("If it belongs to the text before the comma, put that text in quotation marks.")
    if similar := get_close_matches(key, known, n=1):
        return wrong, _("Did you mean “%(key)s”?") % {"key": similar[0]}
    return wrong, _("Remove it, or use one of: %(keys)s.") % {"keys": ", ".join(known)}


def _known_keys(parent: Path) -> list[str]:
    names = [part for part in parent if isinstance(part, str)]
    models = _MODELS.get(names[-1], (Questionnaire,)) if names else (Questionnaire,)
    return [field.alias or name for model in models for name, field in model.model_fields.items()]


def _not_text(path: Path, error: ErrorDetails) -> Sentences:
    wrong = _("“%(key)s” has to be text.") % {"key": _name(path)}
    if isinstance(error["input"], int | float):
        return wrong, _("Put it in quotation marks.")
    return wrong, _("Write a text after the colon.")


def _not_list(path: Path, error: ErrorDetails) -> Sentences:
    if path[-1:] == ("is",):
        return _("“is” has to be an answer or a list of answers."), _("Write for example “is: [yes, dont_know]”.")
    return _("“%(key)s” has to be a list.") % {"key": _name(path)}, _("Begin each item on a line of its own with “- ”.")


def _not_mapping(path: Path, error: ErrorDetails) -> Sentences:
    if not path:
        return _("This is not a questionnaire."), _("Begin with “format: %(format)s”.") % {"format": FORMAT}
    return (
        _("An entry of “%(key)s” has to consist of “key: value” lines.") % {"key": _name(path)},
        _("The keys are: %(keys)s.") % {"keys": ", ".join(_known_keys(path))},
    )


def _not_number(path: Path, error: ErrorDetails) -> Sentences:
    whole = error["type"].startswith("int")
    wrong = _("“%(key)s” has to be a whole number.") if whole else _("“%(key)s” has to be a number.")
    return wrong % {"key": _name(path)}, _how_to_write(error["input"])


def _how_to_write(given: Any) -> str:
    """What to write for a number that is none to YAML, though it may be one to people."""
    if not isinstance(given, str) or not any(char.isnumeric() for char in given):
        return _("Write digits, without a unit or quotation marks.")
    try:
        number = spelled(read_number(given))
    except InvalidAnswer as refusal:
        if "plain" in refusal.params or "limit" in refusal.params:
            return _(refusal.message) % refusal.params
        return _("Write digits, without a unit or quotation marks.")
    return _("Write %(number)s, with a point before decimals and without quotation marks.") % {"number": number}


def _not_boolean(path: Path, error: ErrorDetails) -> Sentences:
    return _("“%(key)s” has to be true or false.") % {"key": _name(path)}, _("Write true or false.")


def _not_among(path: Path, error: ErrorDetails) -> Sentences:
    if path == ("format",):
        return _("This version of the format is not known."), _("Write “format: %(format)s”.") % {"format": FORMAT}
    shown = str(error["input"])[:40]
    return (
        _("“%(key)s” cannot be “%(value)s”.") % {"key": _name(path), "value": shown},
        _("Use %(expected)s.") % {"expected": error["ctx"]["expected"].replace("'", "")},
    )


def _bad_pattern(path: Path, error: ErrorDetails) -> Sentences:
    wrong = _("“%(value)s” cannot be used as %(key)s.") % {"key": _name(path), "value": str(error["input"])[:40]}
    if path == ("slug",):
        return wrong, _("Use up to 64 small letters, digits and hyphens, for example quick-check.")
    if path == ("language",):
        return wrong, _("Use a language code, for example en or de.")
    return wrong, _("Use up to 64 letters, digits, dots, hyphens and underscores, without blanks.")


def _empty(path: Path, error: ErrorDetails) -> Sentences:
    return _("“%(key)s” is empty.") % {"key": _name(path)}, _("Write something, or remove the whole entry.")


def _too_long(path: Path, error: ErrorDetails) -> Sentences:
    return (
        _("“%(key)s” is too long.") % {"key": _name(path)},
        _("Use at most %(limit)s characters.") % {"limit": error["ctx"]["max_length"]},
    )


def _out_of_range(path: Path, error: ErrorDetails) -> Sentences:
    (limit,) = error["ctx"].values()
    advice = {
        "greater_than": _("Use a number above %(limit)s."),
        "greater_than_equal": _("Use at least %(limit)s."),
        "less_than": _("Use a number below %(limit)s."),
        "less_than_equal": _("Use at most %(limit)s."),
    }[error["type"]]
    return (
        _("“%(key)s” cannot be %(value)s.") % {"key": _name(path), "value": str(error["input"])[:40]},
        advice % {"limit": f"{limit:g}"},
    )


def _not_condition(path: Path, error: ErrorDetails) -> Sentences:
    return (
        _("“%(key)s” has to be a condition.") % {"key": _name(path)},
        _("Write “question: ...” and “is: ...”, or one of all, any and not."),
    )


def _other(path: Path, error: ErrorDetails) -> Sentences:
    return (
        _("“%(key)s” is wrong: %(why)s.") % {"key": _name(path), "why": error["msg"]},
        _("Compare it with docs/questionnaires.md."),
    )


_EXPLANATIONS: dict[str, Callable[[Path, ErrorDetails], Sentences]] = {
    "missing": _missing,
    "extra_forbidden": _unknown_key,
    "string_type": _not_text,
    "tuple_type": _not_list,
    "model_type": _not_mapping,
    "model_attributes_type": _not_mapping,
    "int_type": _not_number,
    "int_parsing": _not_number,
    "int_from_float": _not_number,
    "float_type": _not_number,
    "float_parsing": _not_number,
    "finite_number": _not_number,
    "bool_type": _not_boolean,
    "bool_parsing": _not_boolean,
    "literal_error": _not_among,
    "string_pattern_mismatch": _bad_pattern,
    "string_too_short": _empty,
    "too_short": _empty,
    "string_too_long": _too_long,
    "greater_than": _out_of_range,
    "greater_than_equal": _out_of_range,
    "less_than": _out_of_range,
    "less_than_equal": _out_of_range,
    "union_tag_not_found": _not_condition,
}
