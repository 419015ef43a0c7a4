from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction

import pytest

from security.scoring import ENGINE, canonical_json, evaluate
from security.scoring.document import rounded
from security.tests.making import question, questionnaire


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Fraction(50), "50"),
        (Fraction(25, 3), "8.3333"),
        (Fraction(1000, 21), "47.619"),
        (Fraction(1, 20000), "0.0001"),
        (Fraction(1, 20001), "0"),
        (Fraction(-1, 20000), "-0.0001"),
        (Fraction(-1, 20001), "0"),
        (Fraction(10005, 100000), "0.1001"),
        (Fraction(-10005, 100000), "-0.1001"),
        (Fraction(9999995, 100000), "100"),
        (Fraction(3, 2), "1.5"),
        (Fraction(-25), "-25"),
    ],
)
def test_numbers_are_rounded_once_half_away_from_zero_in_the_shortest_form(number: Fraction, text: str) -> None:
    assert json.dumps(rounded(number)) == text


def test_nothing_stays_nothing() -> None:
    assert rounded(None) is None


def test_canonical_json_sorts_keys_leaves_out_spaces_and_ends_with_a_newline() -> None:
    assert canonical_json({"b": [1, None], "a": {"é": True}}) == '{"a":{"é":true},"b":[1,null]}\n'


def test_the_document_holds_what_a_report_keeps() -> None:
    sheet = questionnaire(
        question("A", domain="X", gate=True, target=0.67, cost=1, complexity=2),
        question("B", domain="X"),
        question("C", domain="Y"),
        question("D", domain="Y"),
        domains=("X", "Y"),
    )

    document = evaluate(sheet, {"A": "dont_know", "B": "F", "C": {"not_applicable": "None."}}).to_document()

    assert document == {
        "engine": "weighted-v1",
        "questionnaire": {"slug": "sample", "version": "1.0", "digest": sheet.digest},
        "score": 50,
        "score_high": 100,
        "rating": "D",
        "rating_uncapped": "C",
        "capped_by": ["A"],
        "complete": {"answered": 3, "visible": 4},
        "provisional": True,
        "not_applicable_share": 0.25,
        "reviewer_flags": [],
        "domains": [
            {"id": "X", "score": 50, "score_high": 100, "tier": "Repeatable"},
            {"id": "Y", "score": None, "score_high": None, "tier": None},
        ],
        "findings": [{"question": "A", "severity": "critical", "answer": "dont_know", "points": 50, "target": 0.6667}],
        "plan": [
            {
                "question": "A",
                "wave": "now",
                "effort": 1.5,
                "points": 33.3333,
                "projected_score": 83.3333,
                "projected_rating": "B",
            }
        ],
        "find_out": ["A"],
        "comparison": None,
    }
    assert document["engine"] == ENGINE


def test_the_same_answers_give_the_same_bytes() -> None:
    sheet = questionnaire(question("A"), question("B", weight=0.7))
    again = questionnaire(question("A"), question("B", weight=0.7))

    first = canonical_json(evaluate(sheet, {"A": "P", "B": "L"}).to_document())

    assert first == canonical_json(evaluate(again, {"B": "L", "A": "P"}).to_document())
    assert json.loads(first) == evaluate(sheet, {"A": "P", "B": "L"}).to_document()


def test_scoring_needs_no_django() -> None:
    code = "import sys, security.scoring; print(*{'django', 'celery', 'channels'} & sys.modules.keys())"

    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, text=True, check=True)

    assert result.stdout.strip() == ""
