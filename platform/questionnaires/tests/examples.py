"""A small questionnaire to spoil in tests."""

from __future__ import annotations

from pydantic import JsonValue

from questionnaires.checks import check
from questionnaires.definition import Questionnaire

SMALL = """\
format: plumbline/1
slug: small
version: "1.0"
title: A small one
summary: Three questions.
minutes: 1
domains:
  - id: PR
    title: Protect
sections:
  - id: only
    title: The only page
    questions:
      - id: remote
        text: Do you work from home?
        kind: yes_no
        scored: false
      - id: S-1
        text: Laptops are encrypted.
        domain: PR
        impact: high
      - id: S-2
        text: Remote access asks for a second proof.
        domain: PR
        when:
          question: remote
          is: yes
"""


def small_with(old: str = "", new: str = "") -> bytes:
    """The small questionnaire with one part replaced; the part has to be in it."""
    assert old in SMALL
    return SMALL.replace(old, new, 1).encode()


def small() -> Questionnaire:
    """The small questionnaire."""
    return check(SMALL.encode())


def with_question(**fields: JsonValue) -> Questionnaire:
    """A questionnaire with one question of these fields."""
    question: dict[str, JsonValue] = {"id": "Q", "text": "?", "domain": "PR", **fields}
    return questionnaire_of(question)


def questionnaire_of(*questions: dict[str, JsonValue]) -> Questionnaire:
    """A questionnaire with these questions on one page; not checked beyond its form."""
    return Questionnaire.model_validate(
        {
            "format": "plumbline/1",
            "slug": "example",
            "version": "1",
            "title": "Example",
            "summary": "For a test.",
            "minutes": 1,
            "domains": [{"id": "PR", "title": "Protect"}],
            "sections": [{"id": "page", "title": "Page", "questions": list(questions)}],
        }
    )
