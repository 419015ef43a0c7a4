# A Fraction equals a whole number, which mypy takes for a mistake.
# mypy: disable-error-code="comparison-overlap"

from __future__ import annotations

from fractions import Fraction

import pytest

from questionnaires.definition import Question
from security.scoring import evaluate
from security.scoring.plan import Action
from security.tests.making import question, questionnaire


def plan(*questions: Question, answer: str = "N") -> tuple[Action, ...]:
    """The plan where each question has this answer."""
    return evaluate(questionnaire(*questions), {each.id: answer for each in questions}).plan


def ids(actions: tuple[Action, ...]) -> list[str]:
    return [action.question.id for action in actions]


@pytest.mark.parametrize(
    ("cost", "complexity", "effort"), [(1, 1, 1), (1, 2, Fraction(3, 2)), (3, 2, Fraction(5, 2)), (3, 3, 3)]
)
def test_effort_is_the_mean_of_cost_and_complexity(cost: int, complexity: int, effort: Fraction) -> None:
    assert plan(question("A", cost=cost, complexity=complexity))[0].effort == effort


def test_benefit_is_the_weighted_gain_to_the_target() -> None:
    [action] = plan(question("A", impact="high", weight=1.5, target=0.67), answer="P")

    assert (action.benefit, action.points) == (Fraction(3, 2), Fraction(100, 3))


@pytest.mark.parametrize(("weight", "wave"), [(1.5, "now"), (1.4999, "next"), (0.75, "next"), (0.7499, "later")])
def test_waves_begin_exactly_at_their_borders(weight: float, wave: str) -> None:
    assert plan(question("A", impact="low", weight=weight, cost=1, complexity=1))[0].wave == wave


def test_a_failed_gate_is_for_now_and_first_however_little_it_yields() -> None:
    actions = plan(
        question("A", impact="high", cost=1, complexity=1), question("G", impact="low", weight=0.1, gate=True)
    )

    assert [(action.question.id, action.wave) for action in actions] == [("G", "now"), ("A", "now")]


def test_a_gate_that_does_not_fail_has_no_precedence() -> None:
    actions = plan(question("G", gate=True, weight=0.5), question("A"), answer="P")

    assert ids(actions) == ["A", "G"]


def test_the_best_yield_for_the_effort_comes_first() -> None:
    assert ids(plan(question("A", cost=3, complexity=3), question("B", cost=2), question("C", cost=1))) == [
        "C",
        "B",
        "A",
    ]


def test_equal_yields_go_by_less_effort_then_by_id() -> None:
    actions = plan(
        question("C", impact="low", weight=3, cost=3, complexity=3),
        question("B", impact="low", weight=1, cost=1, complexity=1),
        question("A", impact="low", weight=2, cost=2, complexity=2),
        question("A2", impact="low", weight=1, cost=1, complexity=1),
    )

    assert ids(actions) == ["A2", "B", "A", "C"]


def test_failed_gates_are_ordered_by_the_same_keys() -> None:
    actions = plan(
        question("G3", gate=True, cost=3),
        question("G2", gate=True, impact="high"),
        question("G1", gate=True, impact="high"),
        question("G0", gate=True, impact="low", weight=1.5, cost=1, complexity=1),
        question("A", impact="high", cost=1, complexity=1),
    )

    assert ids(actions) == ["G0", "G1", "G2", "G3", "A"]


def test_each_action_tells_the_score_and_rating_once_it_and_all_before_it_are_done() -> None:
    gates = [question(f"G{number}", gate=True) for number in range(3)]
    others = [question(f"Q{number}") for number in range(7)]
    answers = {each.id: "N" for each in gates} | {each.id: "F" for each in others}

    evaluation = evaluate(questionnaire(*gates, *others), answers | {"Q0": "P"})

    assert (evaluation.score, evaluation.rating) == (Fraction(190, 3), "E")
    assert [(action.question.id, action.projected_score, action.projected_rating) for action in evaluation.plan] == [
        ("G0", Fraction(220, 3), "D"),
        ("G1", Fraction(250, 3), "D"),
        ("G2", Fraction(280, 3), "A"),
        ("Q0", 100, "A"),
    ]


def test_the_projection_goes_to_the_targets_not_beyond() -> None:
    evaluation = evaluate(questionnaire(question("A", target=0.5), question("B")), {"A": "P", "B": "F"})

    assert [(action.points, action.projected_score) for action in evaluation.plan] == [(Fraction(25, 3), 75)]


def test_a_gate_brought_to_a_low_target_no_longer_caps() -> None:
    [action] = plan(question("G", gate=True, target=0.3))

    assert (action.projected_score, action.projected_rating) == (30, "D")


def test_a_failed_gate_that_is_above_its_target_keeps_capping() -> None:
    easy = question("G", gate=True, kind="number", thresholds=[{"at_least": 0, "value": 0.3}], target=0.2)

    evaluation = evaluate(questionnaire(easy, *(question(f"Q{n}") for n in range(9))), {"G": 1, "Q0": "N", "Q1": "F"})

    assert [(action.question.id, action.projected_rating) for action in evaluation.plan] == [("Q0", "D")]
