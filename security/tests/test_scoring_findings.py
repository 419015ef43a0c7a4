from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from security.scoring import evaluate
from security.tests.making import profile, question, questionnaire, shown_when


@pytest.mark.parametrize(
    ("fields", "answer", "severity"),
    [
        ({"gate": True, "impact": "low"}, "N", "critical"),
        ({"gate": True, "impact": "low"}, "dont_know", "critical"),
        ({"gate": True, "impact": "high"}, "P", "medium"),
        ({"impact": "high"}, "N", "high"),
        ({"impact": "high"}, "dont_know", "high"),
        ({"impact": "high"}, "P", "medium"),
        ({"impact": "high"}, "L", "medium"),
        ({"impact": "moderate"}, "N", "medium"),
        ({"impact": "moderate"}, "L", "medium"),
        ({"impact": "low"}, "N", "low"),
        ({"impact": "low"}, "L", "low"),
    ],
)
def test_the_severity_follows_gate_impact_and_value(fields: dict[str, Any], answer: str, severity: str) -> None:
    [finding] = evaluate(questionnaire(question("Q", **fields)), {"Q": answer}).findings

    assert (finding.severity, finding.answer, finding.question.id) == (severity, answer, "Q")


@pytest.mark.parametrize(
    ("target", "answers"), [(1, ["N", "P", "L"]), (0.67, ["N", "P"]), (0.5, ["N", "P"]), (0.33, ["N"]), (0.2, ["N"])]
)
def test_what_is_below_its_target_is_a_finding(target: float, answers: list[str]) -> None:
    sheet = questionnaire(question("Q", target=target))

    assert [answer for answer in "NPLF" if evaluate(sheet, {"Q": answer}).findings] == answers


def test_points_are_the_gain_from_fixing_it_fully_whatever_the_target() -> None:
    sheet = questionnaire(question("A", impact="high", target=0.67), question("B", impact="low"))

    [finding] = evaluate(sheet, {"A": "P", "B": "F"}).findings

    assert finding.points == 50
    assert finding.target == Fraction(2, 3)


def test_points_add_up_to_what_is_missing() -> None:
    sheet = questionnaire(question("A", impact="high"), question("B", weight=0.7), question("C", impact="low"))

    evaluation = evaluate(sheet, {"A": "P", "B": "dont_know", "C": "L"})

    assert evaluation.score is not None
    assert sum(finding.points for finding in evaluation.findings) == 100 - evaluation.score


def test_findings_are_ordered_by_severity_then_points_then_id() -> None:
    sheet = questionnaire(
        question("low", impact="low"),
        question("b", impact="high"),
        question("a", impact="high"),
        question("big", impact="high", weight=2),
        question("medium", weight=50),
        question("gate", impact="low", weight=0.1, gate=True),
    )

    evaluation = evaluate(sheet, {each.id: "N" for each in sheet.questions})

    assert [finding.question.id for finding in evaluation.findings] == ["gate", "big", "a", "b", "medium", "low"]


def test_only_counted_items_are_findings() -> None:
    sheet = questionnaire(
        profile("exposed"),
        question("hidden", when=shown_when("exposed", "yes")),
        question("absent"),
        question("open"),
        question("counted"),
    )

    evaluation = evaluate(sheet, {"hidden": "N", "absent": {"not_applicable": "None."}, "counted": "N"})

    assert [finding.question.id for finding in evaluation.findings] == ["counted"]


def test_find_out_names_the_dont_knows_in_the_questionnaires_order() -> None:
    sheet = questionnaire(question("Z"), question("M"), question("A"))

    assert evaluate(sheet, {"A": "dont_know", "M": "F", "Z": "dont_know"}).find_out == ("Z", "A")
