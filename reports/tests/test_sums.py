"""Printed figures add up to what is printed beside them."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from questionnaires.definition import Questionnaire
from reports.models import Report
from reports.numbers import printed, split
from reports.presentation import ReportPage
from reports.tests.makers import GOLDEN, evaluated, stored
from security.scoring import ENGINE, compare, evaluate

ANSWERS = st.fixed_dictionaries(
    {key: st.sampled_from(["N", "P", "L", "F", "dont_know", {"not_applicable": "None here"}]) for key in GOLDEN}
)


def page_of(questionnaire: Questionnaire, answers: dict[str, Any]) -> ReportPage:
    """A page of a report that nobody stored."""
    document = evaluate(questionnaire, answers).to_document()
    values = {key: {"value": value, "note": ""} for key, value in answers.items()}
    return ReportPage(
        Report(
            questionnaire_digest=questionnaire.digest,
            evaluation=document,
            values=values,
            engine=ENGINE,
            provisional=False,
        )
    )


@given(total=st.integers(-1000, 1000), parts=st.lists(st.decimals(-100, 100, places=4), min_size=1, max_size=12))
def test_parts_add_up_to_the_total(total: int, parts: list[Decimal]) -> None:
    assert sum(split(Decimal(total) / 10, parts)) == Decimal(total) / 10


@given(parts=st.lists(st.decimals(-100, 100, places=4), min_size=1, max_size=12))
def test_no_part_is_off_by_a_whole_step_where_the_total_is_right(parts: list[Decimal]) -> None:
    total = sum(parts, Decimal(0)).quantize(Decimal("0.1"))

    assert all(abs(part - shown) < Decimal("0.2") for part, shown in zip(parts, split(total, parts), strict=True))


def test_a_part_that_is_nothing_stays_nothing() -> None:
    assert split(Decimal("9.8"), [Decimal("9.7"), Decimal(0)]) == [Decimal("9.8"), Decimal(0)]


def test_the_plans_steps_lead_from_one_printed_score_to_the_next(quick_check: Questionnaire) -> None:
    @given(ANSWERS)
    def each(answers: dict[str, Any]) -> None:
        page = page_of(quick_check, answers)
        if not page.scored:
            return
        score = printed(page.document["score"])
        for action in (action for wave in page.waves for action in wave.actions):
            score += action.points
            assert score == printed(action.projected_score)
        assert score == (100 if page.steps else printed(page.document["score"]))

    each()


def test_the_points_of_all_findings_add_up_to_what_is_missing_to_100(quick_check: Questionnaire) -> None:
    @given(ANSWERS)
    def each(answers: dict[str, Any]) -> None:
        page = page_of(quick_check, answers)
        if page.scored:
            points = [finding.points for group in page.finding_groups for finding in group.findings]
            assert sum(points) == 100 - printed(page.document["score"])

    each()


def test_a_finding_has_the_points_of_its_step(quick_check: Questionnaire) -> None:
    page = page_of(quick_check, GOLDEN)

    findings = {each.asked.id: each.points for group in page.finding_groups for each in group.findings}
    steps = {each.asked.id: each.points for wave in page.waves for each in wave.actions}

    assert findings == steps
    assert steps == {
        "QC-06": Decimal("8.3"),
        "QC-08": Decimal("5.6"),
        "QC-11": Decimal("8.3"),
        "QC-12": Decimal("8.4"),
        "QC-02": Decimal("5.5"),
        "QC-05": Decimal("2.8"),
        "QC-09": Decimal("5.5"),
        "QC-10": Decimal("2.8"),
        "QC-03": Decimal("2.8"),
    }


def test_the_gain_that_the_verdict_names_is_that_of_the_findings(quick_check: Questionnaire) -> None:
    page = page_of(quick_check, GOLDEN)

    assert page.verdict[-1].startswith("The biggest gains, 25 points together:")


class TestComparison:
    def test_the_difference_is_that_of_the_printed_scores(
        self, alice: User, alice_client: Client, quick_check: Questionnaire
    ) -> None:
        before = {**dict.fromkeys(GOLDEN, "P"), "QC-01": "N", "QC-02": "F", "QC-03": {"not_applicable": "None"}}
        now = {**dict.fromkeys(GOLDEN, "P"), "QC-01": "L", "QC-04": "L"}
        earlier = stored(evaluated(quick_check, alice.organisation, before, provisional=False))
        later = stored(evaluated(quick_check, alice.organisation, now, provisional=False))

        page = alice_client.get(f"/reports/{later.pk}/").content.decode()

        figures = re.findall(r"<dd>([+−]?[\d.]+)</dd>", page.split('class="figures"')[1])[:3]  # noqa: RUF001
        total, answers, scope = (Decimal(each.replace("−", "-")) for each in figures)  # noqa: RUF001
        assert earlier.score is not None
        assert later.score is not None
        assert total == printed(later.score) - printed(earlier.score)
        assert answers + scope == total

    def test_they_add_up_whatever_changed(self, quick_check: Questionnaire) -> None:
        @given(ANSWERS, ANSWERS)
        def each(past: dict[str, Any], now: dict[str, Any]) -> None:
            earlier, later = evaluate(quick_check, past), evaluate(quick_check, now)
            page = page_of(quick_check, now)
            page.document = later.to_document(compare(earlier, later))
            before: Any = earlier.to_document()["score"]
            page.previous = Report(score=before)
            figures = page.difference
            if figures is None:
                assert None in (earlier.score, later.score)
                return
            assert figures.total == printed(page.document["score"]) - printed(before)
            assert figures.answers + figures.scope == figures.total
            items = [item.points for group in page.change_groups for item in group.items if item.points is not None]
            assert sum(items) == figures.answers

        each()


def test_the_sums_of_the_method_come_out(quick_check: Questionnaire) -> None:
    weights = {"QC-01": 0.7, "QC-02": 1.1, "QC-03": 0.33}
    workings = page_of(quick_check, {**GOLDEN, **dict.fromkeys(weights, "P")}).workings
    assert workings is not None

    assert sum(Fraction(row.product) for row in workings.rows) == Fraction(workings.achieved)
    assert sum(Fraction(row.weight) for row in workings.rows) == Fraction(workings.weight)


@pytest.mark.parametrize(("last", "formula"), [("dont_know", "÷ 36 = 50"), ("P", "÷ 36 ≈ 52.8")])
def test_a_score_that_is_rounded_is_not_said_to_be_equal(
    alice: User, alice_client: Client, quick_check: Questionnaire, last: str, formula: str
) -> None:
    report = stored(evaluated(quick_check, alice.organisation, {**GOLDEN, "QC-12": last}))

    assert formula in alice_client.get(f"/reports/{report.pk}/").content.decode()
