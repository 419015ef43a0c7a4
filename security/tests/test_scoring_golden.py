"""The published vectors: exact figures that a customer can recompute by hand."""

# A Fraction equals a whole number, which mypy takes for a mistake.
# mypy: disable-error-code="comparison-overlap"

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from questionnaires.definition import Questionnaire
from questionnaires.library import built_in
from security.scoring import canonical_json, evaluate
from security.tests.making import question, questionnaire

LEVELS = {"Low": 1, "Moderate": 2, "High": 3, "Simple": 1, "Complex": 3}
CPG_GATES = {"2.B", "3.A", "3.F", "3.O", "3.S"}
QUICK_CHECK_ANSWERS = dict(
    zip(
        (f"QC-{number:02}" for number in range(1, 13)),
        ("F", "P", "L", "F", "L", "N", "F", "P", "P", "L", "N", "dont_know"),
        strict=True,
    )
)


@pytest.fixture(scope="module")
def cpg() -> Questionnaire:
    """CISA CPG 2.0 as one N/P/L/F question for each goal; the facts are in the public domain."""
    goals = json.loads((Path(__file__).parent / "data" / "cpg2-facts.json").read_text(encoding="utf-8"))
    questions = (
        question(
            goal["id"],
            domain=goal["function"],
            impact=goal["impact"].lower(),
            cost=LEVELS[goal["cost"]],
            complexity=LEVELS[goal["complexity"]],
            gate=goal["id"] in CPG_GATES,
        )
        for goal in goals
    )
    return questionnaire(*questions, domains=tuple(dict.fromkeys(goal["function"] for goal in goals)))


def all_answered(sheet: Questionnaire, answer: Any, **others: Any) -> dict[str, Any]:
    return {each.id: answer for each in sheet.questions} | others


def test_cpg_weighs_97_over_34_goals(cpg: Questionnaire) -> None:
    evaluation = evaluate(cpg, all_answered(cpg, "F"))

    assert (evaluation.visible, evaluation.weight) == (34, 97)


def test_cpg_all_fully_is_100(cpg: Questionnaire) -> None:
    evaluation = evaluate(cpg, all_answered(cpg, "F"))

    assert (evaluation.score, evaluation.rating, evaluation.findings, evaluation.plan) == (100, "A", (), ())
    assert {domain.tier for domain in evaluation.domains} == {"Adaptive"}


def test_cpg_all_partially_is_a_third(cpg: Questionnaire) -> None:
    evaluation = evaluate(cpg, all_answered(cpg, "P"))

    assert evaluation.score == Fraction(100, 3)
    assert evaluation.to_document()["score"] == 33.3333
    assert (evaluation.rating, evaluation.failed_gates) == ("D", ())


def test_cpg_all_not_applicable_has_no_score(cpg: Questionnaire) -> None:
    evaluation = evaluate(cpg, all_answered(cpg, {"not_applicable": "We do nothing."}))

    assert (evaluation.score, evaluation.rating, evaluation.provisional) == (None, None, False)


def test_cpg_all_but_mfa_is_an_a_capped_to_d(cpg: Questionnaire) -> None:
    evaluation = evaluate(cpg, all_answered(cpg, "F") | {"3.F": "N"})

    assert evaluation.score == Fraction(9400, 97)
    assert evaluation.to_document()["score"] == 96.9072
    assert (evaluation.rating_uncapped, evaluation.rating, evaluation.capped_by) == ("A", "D", ("3.F",))


def test_quick_check_vector() -> None:
    evaluation = evaluate(built_in("quick-check"), QUICK_CHECK_ANSWERS)
    document = evaluation.to_document()

    assert (evaluation.score, document["score_high"]) == (50, 58.3333)
    assert {domain["id"]: domain["score"] for domain in document["domains"]} == {
        "GV": 100,
        "ID": 50,
        "PR": 47.619,
        "DE": 66.6667,
        "RS": 0,
    }
    assert {finding["question"]: finding["points"] for finding in document["findings"]} == (
        dict.fromkeys(("QC-06", "QC-11", "QC-12"), 8.3333)
        | dict.fromkeys(("QC-02", "QC-08", "QC-09"), 5.5556)
        | dict.fromkeys(("QC-03", "QC-05", "QC-10"), 2.7778)
    )
    assert (evaluation.rating_uncapped, evaluation.rating, evaluation.capped_by) == ("C", "D", ("QC-06",))
    assert document["complete"] == {"answered": 12, "visible": 12}


def test_quick_check_plan() -> None:
    plan = evaluate(built_in("quick-check"), QUICK_CHECK_ANSWERS).to_document()["plan"]

    assert [
        (step["question"][3:], step["wave"], step["effort"], step["projected_score"], step["projected_rating"])
        for step in plan
    ] == [
        ("06", "now", 2, 58.3333, "C"),
        ("08", "now", 1, 63.8889, "C"),
        ("11", "now", 1.5, 72.2222, "C"),
        ("12", "now", 1.5, 80.5556, "B"),
        ("02", "next", 1.5, 86.1111, "B"),
        ("05", "next", 1, 88.8889, "B"),
        ("09", "next", 2.5, 94.4444, "A"),
        ("10", "later", 2, 97.2222, "A"),
        ("03", "later", 3, 100, "A"),
    ]


def test_quick_check_document_is_canonical_to_the_byte() -> None:
    text = canonical_json(evaluate(built_in("quick-check"), QUICK_CHECK_ANSWERS).to_document())

    assert text.startswith(
        '{"capped_by":["QC-06"],"comparison":null,"complete":{"answered":12,"visible":12},"domains":[{"id":"GV",'
        '"score":100,"score_high":100,"tier":"Adaptive"},{"id":"ID","score":50,"score_high":50,"tier":"Repeatable"},'
        '{"id":"PR","score":47.619,"score_high":47.619,"tier":"Risk Informed"},'
    )
    assert text.endswith('"rating":"D","rating_uncapped":"C","reviewer_flags":[],"score":50,"score_high":58.3333}\n')


@pytest.mark.parametrize(("answer", "shown"), [("yes", True), ("dont_know", True), ("no", False), (None, False)])
@pytest.mark.parametrize(("asked", "conditional"), [("exposed", "QC-13"), ("provider", "QC-14")])
def test_quick_check_asks_more_of_the_exposed_and_of_those_with_a_provider(
    asked: str, conditional: str, answer: str | None, shown: bool
) -> None:
    evaluation = evaluate(built_in("quick-check"), {asked: answer})

    assert (conditional in [item.id for item in evaluation.items]) is shown
    assert evaluation.visible == 12 + shown
