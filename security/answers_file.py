"""Answers files: a JSON object of answers by question id (SCORING 12)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from django.utils.translation import gettext as _
from pydantic import JsonValue

from questionnaires.answers import InvalidAnswer, clean_answer
from questionnaires.definition import Questionnaire

LONGEST_NUMBER = 1_000


class RefusedAnswers(ValueError):
    """An answers file that can't be used; `mistakes` has a sentence for each, naming the file and the question."""

    def __init__(self, path: Path, mistakes: list[str]) -> None:
        self.mistakes = [f"{path}: {mistake}" for mistake in mistakes]
        super().__init__("\n".join(self.mistakes))


def read_answers(path: Path, questionnaire: Questionnaire) -> dict[str, JsonValue]:
    """The answers in their one spelling; raises RefusedAnswers with every mistake in the file.

    Answers to questions that are hidden by a condition are taken like any other.
    """
    given = _read_object(path)
    answers: dict[str, JsonValue] = {}
    mistakes: list[str] = []
    for question_id, value in given.items():
        try:
            answers[question_id] = _clean(questionnaire, question_id, value)
        except InvalidAnswer as error:
            name = json.dumps(question_id, ensure_ascii=True).strip('"')
            mistakes.append(f"{name}: {_(error.message) % error.params if error.params else _(error.message)}")
    if mistakes:
        raise RefusedAnswers(path, mistakes)
    return answers


def _clean(questionnaire: Questionnaire, question_id: str, value: JsonValue) -> JsonValue:
    question = questionnaire.by_id.get(question_id)
    if question is None:
        raise InvalidAnswer("%(slug)s has no question with this id.", slug=questionnaire.slug)
    return clean_answer(question, value)


def _read_object(path: Path) -> dict[str, JsonValue]:
    try:
        document = json.loads(
            path.read_text(encoding="utf-8-sig"),
            object_pairs_hook=_once_each,
            parse_constant=_no_constant,
            parse_int=_whole_number,
        )
    except OSError as error:
        raise RefusedAnswers(path, [_("This file cannot be read: %s.") % error.strerror]) from None
    except json.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno, "problem": error.msg}
        raise RefusedAnswers(
            path, [_("line %(line)d, column %(column)d: this is not JSON (%(problem)s).") % place]
        ) from None
    except UnicodeDecodeError:
        raise RefusedAnswers(path, [_("This file is not UTF-8 text.")]) from None
    except (ValueError, RecursionError) as error:
        raise RefusedAnswers(path, [_("This is not JSON that can be read: %s.") % error]) from None
    if not isinstance(document, dict):
        raise RefusedAnswers(path, [_('A JSON object is needed, for example {"QC-01": "F"}.')])
    return document


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that is there twice: the first answer would be lost in silence."""
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _value in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(_("%s is there twice") % json.dumps(twice))
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(_("%s is not a JSON number") % name)


def _whole_number(text: str) -> int:
    # Python refuses longer ones, with advice for programmers.
    if len(text) > LONGEST_NUMBER:
        raise ValueError(_("a number has %d digits") % len(text.lstrip("-")))
    return int(text)
