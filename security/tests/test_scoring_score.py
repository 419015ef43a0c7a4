# A Fraction equals a whole number, which mypy takes for a mistake.
# mypy: disable-error-code="comparison-overlap"

from __future__ import annotations

from fractions import Fraction

import pytest
from pydantic import JsonValue

from questionnaires.definition import Choice
from security.scoring import evaluate
from security.scoring.tiers import tier_of
from security.tests.making import profile, question, questionnaire, shown_when

NOT_APPLICABLE: JsonValue = {"not_applicable": "We have none."}


def test_the_score_is_the_weighted_mean_over_the_counted_items() -> None:
    sheet = questionnaire(question("A", impact="high", weight=2), question("B", impact="low"), question("C"))

    assert evaluate(sheet, {"A": "L", "B": "N", "C": "F"}).score == Fraction(100 * (6 * Fraction(2, 3) + 2), 9)


def test_the_overall_score_is_not_the_mean_of_the_domains() -> None:
    sheet = questionnaire(
        question("A", domain="X"), question("B", domain="Y"), question("C", domain="Y"), domains=("X", "Y")
    )

    evaluation = evaluate(sheet, {"A": "F", "B": "N", "C": "N"})

    assert [domain.score for domain in evaluation.domains] == [100, 0]
    assert evaluation.score == Fraction(100, 3)


def test_dont_knows_widen_the_band_overall_and_in_their_domain() -> None:
    sheet = questionnaire(
        question("A", domain="X"),
        question("B", domain="X", impact="high"),
        question("C", domain="Y"),
        domains=("X", "Y"),
    )

    evaluation = evaluate(sheet, {"A": "F", "B": "dont_know", "C": "P"})

    assert (evaluation.score, evaluation.score_high) == (Fraction(800, 21), Fraction(1700, 21))
    assert [(domain.score, domain.score_high) for domain in evaluation.domains] == [
        (40, 100),
        (Fraction(100, 3), Fraction(100, 3)),
    ]
    assert evaluation.find_out == ("B",)


@pytest.mark.parametrize(
    "answers", [{}, {"A": NOT_APPLICABLE, "B": NOT_APPLICABLE}, {"A": NOT_APPLICABLE}], ids=["none", "all", "one"]
)
def test_where_nothing_counts_there_is_no_score_rating_or_tier_and_no_finding(
    answers: dict[str, JsonValue],
) -> None:
    evaluation = evaluate(questionnaire(question("A", gate=True), question("B")), answers)

    assert (evaluation.score, evaluation.score_high, evaluation.rating, evaluation.rating_uncapped) == (None,) * 4
    assert (evaluation.findings, evaluation.plan, evaluation.find_out, evaluation.capped_by) == ((),) * 4
    assert [(domain.score, domain.score_high, domain.tier) for domain in evaluation.domains] == [(None, None, None)]


def test_only_dont_knows_make_a_score_of_zero_with_a_full_band() -> None:
    evaluation = evaluate(questionnaire(question("A")), {"A": "dont_know"})

    assert (evaluation.score, evaluation.score_high, evaluation.rating) == (0, 100, "E")


def test_domains_with_a_scored_question_are_listed_in_order_even_when_it_is_hidden() -> None:
    sheet = questionnaire(
        profile("exposed", domain="P"),
        question("A", domain="Z"),
        question("B", domain="H", when=shown_when("exposed", "yes")),
        domains=("H", "P", "Z"),
    )

    evaluation = evaluate(sheet, {"A": "F"})

    assert [(domain.domain.id, domain.score, domain.tier) for domain in evaluation.domains] == [
        ("H", None, None),
        ("Z", 100, "Adaptive"),
    ]


@pytest.mark.parametrize(
    ("mean", "tier"),
    [
        ("0", "Partial"),
        ("0.2499999", "Partial"),
        ("0.25", "Risk Informed"),
        ("0.4999999", "Risk Informed"),
        ("0.5", "Repeatable"),
        ("0.8499999", "Repeatable"),
        ("0.85", "Adaptive"),
        ("1", "Adaptive"),
    ],
)
def test_tiers_begin_exactly_at_their_borders(mean: str, tier: str) -> None:
    assert tier_of(100 * Fraction(mean)) == tier


def test_a_domain_on_a_border_gets_the_higher_tier() -> None:
    choices = (Choice(id="a", text="A", value=0.85), Choice(id="b", text="B", value=0.1))

    evaluation = evaluate(questionnaire(question("A", kind="single_choice", choices=choices)), {"A": "a"})

    assert (evaluation.domains[0].score, evaluation.domains[0].tier) == (85, "Adaptive")
