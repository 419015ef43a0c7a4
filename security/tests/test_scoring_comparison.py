# A Fraction equals a whole number, which mypy takes for a mistake.
# mypy: disable-error-code="comparison-overlap"

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from questionnaires.library import built_in
from questionnaires.tests.editions import quick_check_1_0
from security.scoring import Comparison, DifferentQuestionnaires, compare, evaluate
from security.tests.making import profile, question, questionnaire, shown_when

NOT_APPLICABLE = {"not_applicable": "We have none."}
PAIR = questionnaire(question("A", impact="high"), question("B", impact="low"))


def changes(comparison: Comparison) -> list[tuple[str, str, Fraction | None]]:
    return [(item.question.id, item.change, item.points) for item in comparison.items]


def answered(before: dict[str, Any], after: dict[str, Any]) -> Comparison:
    """What changed between two answers of the pair."""
    return compare(evaluate(PAIR, before), evaluate(PAIR, after))


@pytest.mark.parametrize(
    ("before", "after", "change", "points"),
    [
        ("N", "F", "resolved", 75),
        ("L", "F", "resolved", 25),
        ("dont_know", "F", "resolved", 75),
        ("N", "P", "improved", 25),
        ("dont_know", "L", "improved", 50),
        ("F", "L", "regressed", -25),
        ("P", "dont_know", "regressed", -25),
    ],
)
def test_an_item_counted_in_both_is_resolved_improved_or_regressed(
    before: str, after: str, change: str, points: int
) -> None:
    comparison = answered({"A": before, "B": "F"}, {"A": after, "B": "F"})

    assert changes(comparison) == [("A", change, points)]
    assert (comparison.delta, comparison.answers_effect, comparison.scope_effect) == (points, points, 0)


@pytest.mark.parametrize(("before", "after"), [("F", "F"), ("P", "P"), ("N", "dont_know"), ("dont_know", "N")])
def test_an_item_of_the_same_value_is_left_out(before: str, after: str) -> None:
    assert answered({"A": before}, {"A": after}).items == ()


def test_reaching_a_lower_target_resolves_and_going_beyond_it_improves() -> None:
    sheet = questionnaire(question("A", target=0.67))
    partial, largely, fully = (evaluate(sheet, {"A": answer}) for answer in "PLF")

    assert compare(partial, largely).items[0].change == "resolved"
    assert compare(largely, fully).items[0].change == "improved"
    assert compare(fully, largely).items[0].change == "regressed"


def test_what_is_counted_only_now_is_newly_asked_and_changes_the_scope() -> None:
    comparison = answered({"A": "F", "B": NOT_APPLICABLE}, {"A": "F", "B": "N"})

    assert changes(comparison) == [("B", "newly_asked", None)]
    assert (comparison.delta, comparison.answers_effect, comparison.scope_effect) == (-25, 0, -25)


@pytest.mark.parametrize("gone", [NOT_APPLICABLE, None])
def test_what_was_counted_only_before_is_no_longer_applicable(gone: Any) -> None:
    comparison = answered({"A": "F", "B": "N"}, {"A": "F", "B": gone})

    assert changes(comparison) == [("B", "no_longer_applicable", None)]
    assert (comparison.delta, comparison.scope_effect) == (25, 25)


def test_answers_and_scope_are_told_apart() -> None:
    sheet = questionnaire(
        profile("exposed"), question("A"), question("B"), question("C", when=shown_when("exposed", "yes"))
    )

    comparison = compare(
        evaluate(sheet, {"exposed": "no", "A": "N", "B": "P"}),
        evaluate(sheet, {"exposed": "yes", "A": "F", "B": "P", "C": "F"}),
    )

    assert changes(comparison) == [("A", "resolved", Fraction(100, 3)), ("C", "newly_asked", None)]
    assert comparison.delta == Fraction(700, 9) - Fraction(50, 3)
    assert comparison.answers_effect == Fraction(100, 3)
    assert comparison.scope_effect == comparison.delta - Fraction(100, 3)


def test_another_weight_in_a_newer_edition_is_a_change_of_scope() -> None:
    newer = questionnaire(question("A", impact="high"), question("B", impact="high"), version="2.0")
    answers = {"A": "F", "B": "N"}

    comparison = compare(evaluate(PAIR, answers), evaluate(newer, answers))

    assert (comparison.delta, comparison.scope_effect, comparison.items) == (-25, -25, ())


def test_contributions_use_the_weights_of_now() -> None:
    newer = questionnaire(question("A", impact="high"), question("B", impact="high"), version="2.0")

    comparison = compare(evaluate(PAIR, {"A": "F", "B": "N"}), evaluate(newer, {"A": "F", "B": "F"}))

    assert changes(comparison) == [("B", "resolved", 50)]
    assert (comparison.delta, comparison.scope_effect) == (25, -25)


@pytest.mark.parametrize(("before", "after"), [({}, {"A": "F"}), ({"A": "F"}, {}), ({}, {})])
def test_without_two_scores_there_is_no_delta(before: dict[str, str], after: dict[str, str]) -> None:
    comparison = answered(before, after)

    assert (comparison.delta, comparison.scope_effect, comparison.answers_effect) == (None, None, None)


def test_items_are_in_the_current_questionnaires_order_and_dropped_questions_last() -> None:
    older = questionnaire(question("Old2"), question("A"), question("Old1"), question("B"))
    newer = questionnaire(question("B"), question("New"), question("A"), version="2.0")

    comparison = compare(
        evaluate(older, {"Old2": "F", "A": "N", "Old1": "F", "B": "F"}),
        evaluate(newer, {"B": "P", "New": "F", "A": "P"}),
    )

    assert [(item.question.id, item.change) for item in comparison.items] == [
        ("B", "regressed"),
        ("New", "newly_asked"),
        ("A", "improved"),
        ("Old2", "no_longer_applicable"),
        ("Old1", "no_longer_applicable"),
    ]


def test_another_questionnaire_line_is_refused() -> None:
    other = questionnaire(question("A"), slug="other")

    with pytest.raises(DifferentQuestionnaires, match=r'^An evaluation of "sample" cannot be compared .* "other"\.$'):
        compare(evaluate(other, {"A": "F"}), evaluate(PAIR, {"A": "F"}))


def test_the_document_of_a_comparison_is_rounded() -> None:
    sheet = questionnaire(question("A"), question("B"), question("C"))
    before, after = evaluate(sheet, {"A": "N", "B": "F"}), evaluate(sheet, {"A": "P", "B": "F", "C": "N"})
    comparison = compare(before, after)

    document = comparison.to_document()

    assert document == {
        "delta": -5.5556,
        "scope_effect": -16.6667,
        "items": [
            {"question": "A", "change": "improved", "points": 11.1111},
            {"question": "C", "change": "newly_asked", "points": None},
        ],
    }
    assert after.to_document(comparison)["comparison"] == document
    assert after.to_document()["comparison"] is None


def test_the_editions_of_the_quick_check_are_compared_question_by_question() -> None:
    before = evaluate(quick_check_1_0(), {"QC-03": "P", "QC-06": "F"})
    now = evaluate(built_in("quick-check"), {"QC-03": "F", "QC-06": "F"})

    comparison = compare(before, now)

    assert changes(comparison) == [("QC-03", "resolved", Fraction(100, 3))]
    assert (comparison.delta, comparison.scope_effect) == (Fraction(100, 3), 0)
