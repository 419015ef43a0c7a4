"""What holds for every questionnaire and every set of answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from questionnaires.definition import Choice, Question
from security.scoring import canonical_json, compare, evaluate
from security.tests.making import profile, question, questionnaire, shown_when

pytestmark = pytest.mark.thorough

DOMAINS = ("X", "Y")
NOT_APPLICABLE = {"not_applicable": "We have none."}
QUICK = settings(max_examples=80, deadline=None, derandomize=True)


@dataclass(frozen=True)
class Case:
    """Questions with an answer each."""

    questions: tuple[Question, ...]
    answers: dict[str, Any]

    def evaluate(self, *more: Question, **answers: Any) -> Any:
        return evaluate(questionnaire(*self.questions, *more, domains=DOMAINS), self.answers | answers)


@st.composite
def cases(draw: st.DrawFn, full_target: bool = False) -> Case:
    """Between one and eight N-P-L-F questions, some of them gates, with any answers."""
    targets = st.just(1) if full_target else st.sampled_from((1, 0.67, 0.5, 0.2))
    questions = tuple(
        question(
            f"Q{number}",
            domain=draw(st.sampled_from(DOMAINS)),
            impact=draw(st.sampled_from(("high", "moderate", "low"))),
            weight=draw(st.sampled_from((0.1, 1, 1.5, 7))),
            cost=draw(st.integers(1, 3)),
            complexity=draw(st.integers(1, 3)),
            target=draw(targets),
            gate=draw(st.booleans()),
        )
        for number in range(draw(st.integers(1, 8)))
    )
    answer = st.sampled_from(("N", "P", "L", "F", "dont_know", NOT_APPLICABLE, None))
    return Case(questions, {each.id: draw(answer) for each in questions})


@QUICK
@given(cases())
def test_the_score_lies_between_0_and_100_and_not_above_its_band(case: Case) -> None:
    evaluation = case.evaluate()

    assume(evaluation.score is not None)
    assert 0 <= evaluation.score <= evaluation.score_high <= 100


@QUICK
@given(cases(), st.data())
def test_raising_an_answer_never_lowers_the_score_or_the_rating(case: Case, data: st.DataObject) -> None:
    ladder = ("N", "P", "L", "F")
    raised = data.draw(st.sampled_from(sorted(case.answers)))
    lower, higher = sorted(data.draw(st.tuples(st.integers(0, 3), st.integers(0, 3))))

    before, after = (case.evaluate(**{raised: ladder[step]}) for step in (lower, higher))

    assert before.score <= after.score
    assert before.rating >= after.rating


@QUICK
@given(cases(full_target=True))
def test_points_add_up_to_what_is_missing(case: Case) -> None:
    evaluation = case.evaluate()

    assume(evaluation.score is not None)
    assert sum(finding.points for finding in evaluation.findings) == 100 - evaluation.score
    assert sum(action.points for action in evaluation.plan) == 100 - evaluation.score


@QUICK
@given(cases())
def test_points_of_findings_never_exceed_what_is_missing(case: Case) -> None:
    evaluation = case.evaluate()

    assume(evaluation.score is not None)
    assert sum(finding.points for finding in evaluation.findings) <= 100 - evaluation.score


@QUICK
@given(cases(), cases())
def test_hiding_items_equals_removing_them(case: Case, other: Case) -> None:
    hidden = tuple(
        Question(**{**each.model_dump(), "id": f"H{each.id}", "when": shown_when("exposed", "yes")})
        for each in other.questions
    )
    answers = {f"H{name}": answer for name, answer in other.answers.items()}

    with_hidden = case.evaluate(profile("exposed"), *hidden, **answers, exposed="no")

    assert comparable(with_hidden) == comparable(case.evaluate())


def comparable(evaluation: Any) -> dict[str, Any]:
    """The document without what names the definition or lists a domain in which nothing counts."""
    document: dict[str, Any] = evaluation.to_document()
    domains = [domain for domain in document["domains"] if domain["score"] is not None]
    return document | {"questionnaire": None, "domains": domains}


@QUICK
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_the_items_is_irrelevant(case: Case, shuffling: Any) -> None:
    shuffled = list(case.questions)
    shuffling.shuffle(shuffled)

    first, second = (
        replace(case, questions=tuple(questions)).evaluate().to_document() for questions in (case.questions, shuffled)
    )

    for in_the_questionnaires_order in ("find_out", "capped_by", "reviewer_flags"):
        assert sorted(first.pop(in_the_questionnaires_order)) == sorted(second.pop(in_the_questionnaires_order))
    assert first | {"questionnaire": None} == second | {"questionnaire": None}


@QUICK
@given(cases(), st.integers(1, 3))
def test_an_item_worth_the_score_leaves_it_as_it_is_when_not_applicable(case: Case, weight: int) -> None:
    score = case.evaluate().score
    assume(score is not None)
    # Any exact value can be had as a share of weights: so much of the selectable is selected.
    numerator, denominator = (score / 100).as_integer_ratio()
    unit = Fraction(1, 10 ** len(str(denominator)))
    parts = (
        Choice(id="selected", text="Selected", value=float(numerator * unit)),
        Choice(id="rest", text="Rest", value=float((denominator - numerator) * unit)),
    )
    more = question("M", domain="X", kind="multiple_choice", choices=parts, weight=weight)

    counted = case.evaluate(more, M=["selected"])

    assert counted.score == case.evaluate(more, M=NOT_APPLICABLE).score == score


@QUICK
@given(cases(full_target=True))
def test_the_whole_plan_leads_to_100_and_a(case: Case) -> None:
    plan = case.evaluate().plan

    assume(plan)
    assert (plan[-1].projected_score, plan[-1].projected_rating) == (100, "A")


@QUICK
@given(cases())
def test_the_plan_never_leads_down_and_does_gates_first(case: Case) -> None:
    evaluation = case.evaluate()

    scores = [action.projected_score for action in evaluation.plan]
    ratings = [action.projected_rating for action in evaluation.plan]
    gates = [action.question.id in evaluation.failed_gates for action in evaluation.plan]

    assert scores == sorted(scores)
    assert ratings == sorted(ratings, reverse=True)
    assert gates == sorted(gates, reverse=True)


@QUICK
@given(cases())
def test_a_projection_is_what_the_answers_would_then_give(case: Case) -> None:
    """Where each target is an answer, doing the first action and evaluating again gives its very figures."""
    fully = Case(tuple(each.model_copy(update={"target": 1}) for each in case.questions), case.answers)
    plan = fully.evaluate().plan
    assume(plan)

    done = fully.evaluate(**{plan[0].question.id: "F"})

    assert (done.score, done.rating) == (plan[0].projected_score, plan[0].projected_rating)


@QUICK
@given(cases(), st.data())
def test_a_comparison_adds_up(case: Case, data: st.DataObject) -> None:
    answer = st.sampled_from(("N", "P", "L", "F", "dont_know", NOT_APPLICABLE, None))
    before = case.evaluate()
    after = case.evaluate(**{name: data.draw(answer) for name in case.answers})

    comparison = compare(before, after)

    assume(comparison.delta is not None)
    assert comparison.delta == after.score - before.score
    assert comparison.answers_effect == sum(item.points or 0 for item in comparison.items)
    if {item.id for item in before.items if item.value is not None} == {
        item.id for item in after.items if item.value is not None
    }:
        assert comparison.scope_effect == 0


@QUICK
@given(cases())
def test_evaluating_again_gives_the_same_bytes(case: Case) -> None:
    assert canonical_json(case.evaluate().to_document()) == canonical_json(case.evaluate().to_document())
