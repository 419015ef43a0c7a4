# A Fraction equals a whole number, which mypy takes for a mistake.
# mypy: disable-error-code="comparison-overlap"

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from questionnaires.definition import Choice, Threshold
from security.scoring import NoValue, evaluate
from security.scoring.values import exact, target_of, weight_of
from security.tests.making import item, profile, question, questionnaire, shown_when, value

SIZES = (
    Choice(id="none", text="None", value=0),
    Choice(id="some", text="Some", value=0.3),
    Choice(id="all", text="All", value=1),
)
PARTS = (
    Choice(id="laptops", text="Laptops", value=0.1),
    Choice(id="servers", text="Servers", value=0.2),
    Choice(id="phones", text="Phones", value=0.4),
    Choice(id="neither", text="None of these", value=0),
)
DAYS = (Threshold(at_least=0, value=1), Threshold(at_least=14, value=0.5), Threshold(at_least=30.5, value=0))


@pytest.mark.parametrize(
    ("answer", "expected"), [("N", Fraction(0)), ("P", Fraction(1, 3)), ("L", Fraction(2, 3)), ("F", Fraction(1))]
)
def test_nplf_is_worth_exact_thirds(answer: str, expected: Fraction) -> None:
    assert value(question("Q"), answer) == expected


@pytest.mark.parametrize(("answer", "expected"), [("yes", 1), ("no", 0)])
def test_yes_is_worth_one_and_no_nothing(answer: str, expected: int) -> None:
    assert value(question("Q", kind="yes_no"), answer) == expected


@pytest.mark.parametrize(
    ("answer", "expected"), [("none", Fraction(0)), ("some", Fraction(3, 10)), ("all", Fraction(1))]
)
def test_a_single_choice_is_worth_what_it_carries(answer: str, expected: Fraction) -> None:
    assert value(question("Q", kind="single_choice", choices=SIZES), answer) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (["laptops"], Fraction(1, 7)),
        (["phones", "laptops"], Fraction(5, 7)),
        (["laptops", "servers", "phones"], Fraction(1)),
        (["neither"], Fraction(0)),
        (["laptops", "laptops"], Fraction(1, 7)),
    ],
)
def test_a_multiple_choice_is_worth_the_selected_share_of_the_selectable(answer: list[str], expected: Fraction) -> None:
    assert value(question("Q", kind="multiple_choice", choices=PARTS), answer) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(-1, 0), (0, 1), (13.999, 1), (14, Fraction(1, 2)), (30, Fraction(1, 2)), (30.5, 0), (10**15, 0)],
)
def test_a_number_is_worth_the_highest_threshold_that_it_reaches(answer: float, expected: Fraction) -> None:
    assert value(question("Q", kind="number", thresholds=DAYS), answer) == expected


def test_the_order_in_which_thresholds_are_written_is_irrelevant() -> None:
    assert value(question("Q", kind="number", thresholds=DAYS[::-1]), 20) == Fraction(1, 2)


def test_choices_that_weigh_nothing_are_worth_nothing() -> None:
    weightless = (Choice(id="a", text="A"), Choice(id="b", text="B"))

    assert value(question("Q", kind="multiple_choice", choices=weightless), ["a"]) == 0


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"kind": "nplf"}, "X"),
        ({"kind": "nplf"}, 1),
        ({"kind": "nplf"}, ["F"]),
        ({"kind": "yes_no"}, True),
        ({"kind": "single_choice", "choices": SIZES}, "most"),
        ({"kind": "multiple_choice", "choices": PARTS}, "laptops"),
        ({"kind": "multiple_choice", "choices": PARTS}, ["laptops", "printers"]),
        ({"kind": "multiple_choice", "choices": PARTS}, [["laptops"]]),
        ({"kind": "number", "thresholds": DAYS}, "14"),
        ({"kind": "number", "thresholds": DAYS}, True),
        ({"kind": "text"}, "something"),
        ({"kind": "nplf"}, {"value": "F"}),
    ],
)
def test_an_answer_that_the_question_does_not_take_is_refused_without_being_repeated(
    fields: dict[str, Any], answer: Any
) -> None:
    with pytest.raises(NoValue, match=r"^Q-7: this is not an answer to a scored question of the kind '\w+'\.$"):
        value(question("Q-7", **fields), answer)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0.1, Fraction(1, 10)),
        (1, Fraction(1)),
        (2.5, Fraction(5, 2)),
        (1e-07, Fraction(1, 10**7)),
        (0.33, Fraction(33, 100)),
    ],
)
def test_an_authors_number_means_what_is_written(number: float, expected: Fraction) -> None:
    assert exact(number) == expected


@pytest.mark.parametrize(
    ("impact", "factor", "expected"),
    [("high", 1, 3), ("moderate", 1, 2), ("low", 1, 1), ("high", 0.1, Fraction(3, 10))],
)
def test_the_weight_is_impact_times_the_authors_weight(impact: str, factor: float, expected: Fraction) -> None:
    assert weight_of(question("Q", impact=impact, weight=factor)) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (1, Fraction(1)),
        (0.6667, Fraction(2, 3)),
        (0.67, Fraction(2, 3)),
        (0.66, Fraction(66, 100)),
        (0.3333333333333333, Fraction(1, 3)),
        (0.5, Fraction(1, 2)),
    ],
)
def test_a_target_of_nplf_that_spells_a_third_is_that_third(target: float, expected: Fraction) -> None:
    assert target_of(question("Q", target=target)) == expected


def test_the_target_of_another_kind_is_taken_as_written() -> None:
    assert target_of(question("Q", kind="number", target=0.67)) == Fraction(67, 100)


def test_dont_know_is_worth_nothing_but_counts() -> None:
    evaluation = evaluate(questionnaire(question("A"), question("B")), {"A": "dont_know", "B": "F"})

    assert item(evaluation, "A").value == 0
    assert evaluation.score == 50
    assert evaluation.find_out == ("A",)


def test_not_applicable_leaves_numerator_and_denominator() -> None:
    evaluation = evaluate(
        questionnaire(question("A"), question("B")), {"A": {"not_applicable": "No servers."}, "B": "P"}
    )

    assert item(evaluation, "A").value is None
    assert (evaluation.score, evaluation.weight) == (Fraction(100, 3), 2)
    assert (evaluation.answered, evaluation.visible, evaluation.provisional) == (2, 2, False)


@pytest.mark.parametrize("missing", [{}, {"A": None}, {"A": ""}, {"A": []}])
def test_an_unanswered_question_is_not_counted_and_makes_it_provisional(missing: dict[str, Any]) -> None:
    evaluation = evaluate(questionnaire(question("A"), question("B")), {**missing, "B": "L"})

    assert evaluation.score == Fraction(200, 3)
    assert (evaluation.answered, evaluation.visible, evaluation.provisional) == (1, 2, True)


def test_a_hidden_question_is_accepted_but_neither_counted_nor_shown() -> None:
    sheet = questionnaire(profile("exposed"), question("A"), question("B", when=shown_when("exposed", "yes")))

    hidden = evaluate(sheet, {"exposed": "no", "A": "F", "B": "N"})
    shown = evaluate(sheet, {"exposed": "yes", "A": "F", "B": "N"})

    assert [item.id for item in hidden.items] == ["A"]
    assert (hidden.score, hidden.visible, hidden.findings) == (100, 1, ())
    assert (shown.score, shown.visible) == (50, 2)


def test_a_condition_on_an_unanswered_or_hidden_question_is_false() -> None:
    sheet = questionnaire(
        profile("first"),
        profile("second", when=shown_when("first", "yes")),
        question("A", when=shown_when("second", "yes")),
        question("B"),
    )

    assert [item.id for item in evaluate(sheet, {"B": "F"}).items] == ["B"]
    assert [item.id for item in evaluate(sheet, {"first": "no", "second": "yes", "B": "F"}).items] == ["B"]
    assert [item.id for item in evaluate(sheet, {"first": "yes", "second": "yes", "B": "F"}).items] == ["A", "B"]


def test_a_profile_question_is_never_counted() -> None:
    evaluation = evaluate(questionnaire(profile("exposed"), question("A")), {"exposed": "no", "A": "F"})

    assert (evaluation.score, evaluation.visible, evaluation.answered) == (100, 1, 1)


def test_answers_to_unknown_questions_are_not_looked_at() -> None:
    assert evaluate(questionnaire(question("A")), {"A": "F", "Z": "N"}).score == 100
