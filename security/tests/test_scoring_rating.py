# A Fraction equals a whole number, which mypy takes for a mistake.
# mypy: disable-error-code="comparison-overlap"

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from pydantic import JsonValue

from questionnaires.definition import Choice
from security.scoring import Evaluation, evaluate
from security.scoring.rating import cap, rating_of
from security.tests.making import profile, question, questionnaire, shown_when

NOT_APPLICABLE: JsonValue = {"not_applicable": "We have none."}


def with_gates(*gates: str, rest: tuple[str, int] = ("F", 0), **more: Any) -> Evaluation:
    """Gates G1, G2, ... with these answers, and so many other questions with that one."""
    asked = [question(f"G{number}", gate=True) for number in range(1, len(gates) + 1)]
    others = [question(f"Q{number}") for number in range(rest[1])]
    answers: dict[str, Any] = {gate.id: answer for gate, answer in zip(asked, gates, strict=True)}
    return evaluate(questionnaire(*asked, *others), answers | {other.id: rest[0] for other in others} | more)


@pytest.mark.parametrize(
    ("score", "rating"),
    [
        ("100", "A"),
        ("90", "A"),
        ("89.99999", "B"),
        ("75", "B"),
        ("74.99999", "C"),
        ("50", "C"),
        ("49.99999", "D"),
        ("25", "D"),
        ("24.99999", "E"),
        ("0", "E"),
    ],
)
def test_ratings_begin_exactly_at_their_borders(score: str, rating: str) -> None:
    assert rating_of(Fraction(score)) == rating


@pytest.mark.parametrize(("failed", "ratings"), [(0, "ABCDE"), (1, "DDDDE"), (2, "DDDDE"), (3, "EEEEE"), (9, "EEEEE")])
def test_one_or_two_failed_gates_cap_at_d_and_three_at_e(failed: int, ratings: str) -> None:
    assert "".join(cap(rating, failed) for rating in ("A", "B", "C", "D", "E")) == ratings


@pytest.mark.parametrize(
    ("gates", "rating", "capped_by"),
    [
        (("F", "F", "F"), "A", ()),
        (("N", "F", "F"), "D", ("G1",)),
        (("N", "F", "dont_know"), "D", ("G1", "G3")),
        (("N", "N", "N"), "E", ("G1", "G2", "G3")),
    ],
)
def test_failed_gates_cap_the_rating_and_never_the_score(
    gates: tuple[str, ...], rating: str, capped_by: tuple[str, ...]
) -> None:
    evaluation = with_gates(*gates, rest=("F", 27))

    achieved = 27 + gates.count("F")
    assert evaluation.score == Fraction(100 * achieved, 30)
    assert (evaluation.rating, evaluation.rating_uncapped, evaluation.capped_by) == (rating, "A", capped_by)


def test_a_cap_that_changes_nothing_is_not_named() -> None:
    evaluation = with_gates("N", rest=("P", 9))

    assert (evaluation.score, evaluation.rating, evaluation.rating_uncapped) == (30, "D", "D")
    assert (evaluation.capped_by, evaluation.failed_gates) == ((), ("G1",))


def test_three_failed_gates_bring_a_d_to_e() -> None:
    evaluation = with_gates("N", "N", "N", rest=("P", 27))

    assert (evaluation.score, evaluation.rating_uncapped, evaluation.rating) == (30, "D", "E")
    assert evaluation.capped_by == ("G1", "G2", "G3")


@pytest.mark.parametrize("answer", ["P", "L", "F", NOT_APPLICABLE, None])
def test_a_gate_that_is_partial_unanswered_or_not_applicable_does_not_fail(answer: Any) -> None:
    assert with_gates("F", rest=("F", 9), G1=answer).failed_gates == ()


def test_a_hidden_gate_does_not_fail() -> None:
    sheet = questionnaire(
        profile("exposed"), question("A"), question("G", gate=True, when=shown_when("exposed", "yes"))
    )

    assert evaluate(sheet, {"exposed": "no", "A": "F", "G": "N"}).rating == "A"
    assert evaluate(sheet, {"exposed": "yes", "A": "F", "G": "N"}).failed_gates == ("G",)


@pytest.mark.parametrize(("choice", "failed"), [(0.33, ("G",)), (0.34, ())])
def test_a_gate_of_another_kind_fails_below_a_third(choice: float, failed: tuple[str, ...]) -> None:
    gate = question("G", gate=True, kind="single_choice", choices=(Choice(id="a", text="A", value=choice),))

    assert evaluate(questionnaire(gate), {"G": "a"}).failed_gates == failed


def test_a_provisional_evaluation_is_rated_too() -> None:
    evaluation = with_gates("N", rest=("F", 4), Q0=None)

    assert (evaluation.provisional, evaluation.rating, evaluation.capped_by) == (True, "D", ("G1",))


def test_each_gate_that_is_not_applicable_is_flagged() -> None:
    evaluation = with_gates("F", "F", "F", rest=("F", 7), G1=NOT_APPLICABLE, G3=NOT_APPLICABLE)

    assert evaluation.not_applicable_share == Fraction(1, 5)
    assert evaluation.reviewer_flags == ("gate_not_applicable:G1", "gate_not_applicable:G3")


def test_more_than_a_quarter_of_the_visible_weight_not_applicable_is_flagged() -> None:
    sheet = questionnaire(question("A", impact="low"), question("B", impact="low", weight=3), question("C", weight=0.1))

    quarter = evaluate(sheet, {"A": NOT_APPLICABLE, "B": "F", "C": None})
    more = evaluate(sheet, {"A": NOT_APPLICABLE, "B": "F", "C": NOT_APPLICABLE})

    assert (quarter.not_applicable_share, quarter.reviewer_flags) == (Fraction(5, 21), ())
    assert (more.not_applicable_share, more.reviewer_flags) == (Fraction(2, 7), ("not_applicable_share",))


def test_exactly_a_quarter_is_not_flagged() -> None:
    sheet = questionnaire(question("A", impact="low"), question("B", impact="low", weight=3))

    evaluation = evaluate(sheet, {"A": NOT_APPLICABLE})

    assert (evaluation.not_applicable_share, evaluation.reviewer_flags) == (Fraction(1, 4), ())


def test_a_gate_declared_away_stays_flagged_where_nothing_counts() -> None:
    evaluation = with_gates("F", G1=NOT_APPLICABLE)

    assert evaluation.score is None
    assert evaluation.reviewer_flags == ("gate_not_applicable:G1", "not_applicable_share")
