"""Earlier editions of the built-in questionnaires."""

from __future__ import annotations

import json

from questionnaires.definition import Questionnaire, from_canonical
from questionnaires.library import built_in

QUICK_CHECK_1_0 = "e4b207fd3c0475480620c8eef33d94e6055e613e28b6a69307d89cfa94a5ef7c"
"""The digest by which submissions and reports of the first edition name it."""


def quick_check_1_0() -> Questionnaire:
    """The first edition of the quick check, which had no gaps."""
    document = json.loads(built_in("quick-check").canonical_json)
    document["version"] = "1.0"
    for section in document["sections"]:
        for question in section["questions"]:
            question.pop("gap", None)
    edition = from_canonical(document)
    assert edition.digest == QUICK_CHECK_1_0
    return edition
