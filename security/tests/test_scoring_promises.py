"""What the check of a questionnaire lets pass, the plan can promise: the target is reached, and gates pass then."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from questionnaires.definition import Choice, Question, Threshold
from questionnaires.rules import broken_rules
from questionnaires.worth import target_of, worths
from security.scoring import evaluate
from security.scoring import values as scoring
from security.tests.making import question, questionnaire

pytestmark = pytest.mark.thorough

QUICK = settings(max_examples=150, deadline=None, derandomize=True)
WORTH = st.sampled_from((0, 0.2, 0.33, 0.34, 0.5, 0.6667, 0.9, 1))
STEPS = (-5, 0, 10, 10**15, 2e15)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """A scored question of any kind, as careless as authors are."""
    kind = draw(st.sampled_from(("nplf", "yes_no", "single_choice", "multiple_choice", "number")))
    fields: dict[str, Any] = {"kind": kind, "target": draw(st.sampled_from((0.2, 0.33, 0.34, 0.5, 0.67, 0.9, 1)))}
    if "choice" in kind:
        values = draw(st.lists(WORTH, min_size=2, max_size=4))
        fields["choices"] = tuple(Choice(id=f"c{n}", text=f"Choice {n}", value=each) for n, each in enumerate(values))
    if kind == "number":
        steps = sorted(draw(st.sets(st.sampled_from(STEPS), min_size=1)))
        fields["thresholds"] = tuple(Threshold(at_least=step, value=draw(WORTH)) for step in steps)
    return question("Q", gate=draw(st.booleans()), **fields)


def answers_to(asked: Question) -> list[JsonValue]:
    """One answer of each worth that the question has, and of a multiple choice all and each."""
    ids: list[JsonValue] = [*asked.choice_ids]
    ways: dict[str, Callable[[], list[JsonValue]]] = {
        "nplf": lambda: ["N", "P", "L", "F"],
        "yes_no": lambda: ["yes", "no"],
        "single_choice": lambda: ids,
        "multiple_choice": lambda: [ids, *([each] for each in ids)],
        "number": lambda: [-(10**15), *(step.at_least for step in asked.thresholds if step.at_least <= 10**15)],
    }
    return ways[asked.kind]()


@QUICK
@given(questions())
def test_what_reaches_the_target_leaves_no_finding_no_failed_gate_and_the_promised_score(asked: Question) -> None:
    sheet = questionnaire(asked)
    assume(not list(broken_rules(sheet)))

    planned = evaluate(sheet, {"Q": "dont_know"}).plan[-1]
    best = max((evaluate(sheet, {"Q": answer}) for answer in answers_to(asked)), key=lambda found: found.score or 0)

    assert (best.findings, best.failed_gates) == ((), ())
    assert best.score is not None
    assert best.score >= planned.projected_score == 100 * scoring.target_of(asked)
    assert best.rating is not None
    assert best.rating <= planned.projected_rating


@QUICK
@given(questions())
def test_the_check_and_the_scoring_agree_on_what_answers_are_worth(asked: Question) -> None:
    assume(not list(broken_rules(questionnaire(asked))))

    found = {scoring.value_of(asked, answer) for answer in answers_to(asked)}

    assert target_of(asked) == scoring.target_of(asked)
    assert max(found) == max(worths(asked))
    if asked.kind != "multiple_choice":
        assert found == worths(asked)
    assert all(Fraction(0) <= each <= 1 for each in found)
