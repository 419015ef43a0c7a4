"""Reading a questionnaire file: every mistake with its line, in sentences that say what to do."""

from __future__ import annotations

from pathlib import Path as FilePath

from pydantic import ValidationError

from questionnaires.definition import Questionnaire
from questionnaires.explanations import explain
from questionnaires.rules import broken_rules
from questionnaires.yaml_lines import MAX_BYTES, MAX_PROBLEMS, InvalidDefinition, Problem, read

__all__ = ["InvalidDefinition", "Problem", "check", "read_questionnaire"]


def read_questionnaire(path: FilePath) -> Questionnaire:
    """Read and check a file. Raises OSError where it cannot be read, InvalidDefinition with all its mistakes."""
    with path.open("rb") as file:
        return check(file.read(MAX_BYTES + 1))


def check(content: bytes) -> Questionnaire:
    """Check the content of a file. Raises InvalidDefinition, and nothing else, whatever the content."""
    document = read(content)
    try:
        questionnaire = Questionnaire.model_validate(document.value)
    except ValidationError as error:
        # A list counts as too short where its only entry is wrong; that entry's own mistake is enough to say.
        details = [each for each in error.errors(include_url=False) if each["type"] != "too_short" or not each["input"]]
        raise InvalidDefinition([explain(document, detail) for detail in details[: MAX_PROBLEMS + 1]]) from None
    problems = [Problem(document.line_of(path), wrong, advice) for path, wrong, advice in broken_rules(questionnaire)]
    if problems:
        raise InvalidDefinition(problems)
    return questionnaire
