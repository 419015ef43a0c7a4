"""Reading a questionnaire file: every mistake with its line, in sentences that say what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path as FilePath

from pydantic import ValidationError

from questionnaires.definition import Questionnaire
from questionnaires.explanations import explain
from questionnaires.rules import Broken, broken_rules
from questionnaires.weak_spots import weak_spots
from questionnaires.yaml_lines import MAX_BYTES, MAX_PROBLEMS, Document, InvalidDefinition, Problem, read

__all__ = ["Checked", "InvalidDefinition", "Problem", "check", "check_file", "read_questionnaire"]


@dataclass(frozen=True)
class Checked:
    """A file without mistakes."""

    questionnaire: Questionnaire
    warnings: tuple[Problem, ...]
    """What the author may want to improve, by line. None of it keeps the file from being used."""


def read_questionnaire(path: FilePath) -> Questionnaire:
    """Read and check a file. Raises OSError where it cannot be read, InvalidDefinition with all its mistakes."""
    return check_file(path).questionnaire


def check_file(path: FilePath) -> Checked:
    """Read and check a file for its author: like `read_questionnaire`, with warnings."""
    with path.open("rb") as file:
        return _checked(file.read(MAX_BYTES + 1))


def check(content: bytes) -> Questionnaire:
    """Check the content of a file. Raises InvalidDefinition, and nothing else, whatever the content."""
    return _checked(content).questionnaire


def _checked(content: bytes) -> Checked:
    document = read(content)
    try:
        questionnaire = Questionnaire.model_validate(document.value)
    except ValidationError as error:
        # A list counts as too short where its only entry is wrong; that entry's own mistake is enough to say.
        details = [each for each in error.errors(include_url=False) if each["type"] != "too_short" or not each["input"]]
        raise InvalidDefinition([explain(document, detail) for detail in details[: MAX_PROBLEMS + 1]]) from None
    if problems := _with_lines(document, broken_rules(questionnaire)):
        raise InvalidDefinition(problems)
    warnings = _with_lines(document, weak_spots(questionnaire))
    return Checked(questionnaire, tuple(sorted(warnings, key=lambda problem: problem.line)))


def _with_lines(document: Document, found: Iterable[Broken]) -> list[Problem]:
    return [Problem(document.line_of(path), wrong, advice) for path, wrong, advice in found]
