"""Reports through GraphQL say what their page says."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from api import ids
from api.execution import prepare
from api.parameters import Parameters
from config.tests.whole_schema import data
from questionnaires.definition import Questionnaire
from reports.models import Report
from reports.presentation import ReportPage
from reports.tests.makers import GOLDEN, evaluated, stored

REPORT = """
query ($id: ID!) {
  report(id: $id) {
    title revision state score scoreHigh rating ratingShown answered visible notApplicableShare
    answers { key text label reason note question { why references { cpg } } value { choice notApplicable dontKnow } }
    evaluation {
      headline verdict score scoreHigh rating ratingUncapped complete answered visible
      ratingShown counted notApplicableShare
      cappedBy { key text }
      failedGates { key gap }
      gatesNotApplicable { key }
      findOut { key }
      domains { key title score scoreHigh tier }
      findings { asked { key label gap } severity points target }
      plan {
        number asked { key title question { cost complexity fix } } wave effort points projectedScore projectedRating
      }
      comparison {
        delta answersEffect scopeEffect notYetAnswered items { asked { key } change points } previous { id }
      }
    }
  }
}
"""


def of(user: User, report: Report) -> Any:
    return data(user, REPORT, id=ids.encode("Report", report.pk))["report"]


@pytest.fixture
def earlier(alice: User, quick_check: Questionnaire) -> Report:
    return stored(evaluated(quick_check, alice.organisation, provisional=False))


@pytest.fixture
def later(alice: User, quick_check: Questionnaire, earlier: Report) -> Report:
    """Better in one answer and worse in another; one does not apply any more, and one waits for an answer."""
    changed: dict[str, Any] = {**GOLDEN, "QC-06": "F", "QC-04": "P", "QC-01": {"not_applicable": "One person"}}
    del changed["QC-09"]
    return stored(evaluated(quick_check, alice.organisation, changed, notes={"QC-04": "as agreed"}))


@pytest.fixture(params=["earlier", "later"])
def report(request: pytest.FixtureRequest) -> Report:
    found: Report = request.getfixturevalue(request.param)
    return found


def test_the_verdict_is_that_of_the_page(alice: User, report: Report) -> None:
    page, found = ReportPage(report), of(alice, report)
    evaluation = found["evaluation"]

    assert (evaluation["headline"], evaluation["verdict"]) == (page.headline, page.verdict)
    assert evaluation["complete"] is not page.so_far
    assert evaluation["visible"] - evaluation["answered"] == page.unanswered
    assert [each["key"] for each in evaluation["cappedBy"]] == page.document["capped_by"]
    assert [(each["key"], each["gap"]) for each in evaluation["failedGates"]] == [
        (each.id, each.gap) for each in page.failed_gates
    ]
    assert [each["key"] for each in evaluation["gatesNotApplicable"]] == [each.id for each in page.gates_not_applicable]
    assert evaluation["counted"] == page.coverage.counted
    assert evaluation["ratingShown"] is found["ratingShown"] is page.rating_shown
    assert (found["answered"], found["visible"]) == (evaluation["answered"], evaluation["visible"])
    assert found["notApplicableShare"] == evaluation["notApplicableShare"] == page.document["not_applicable_share"]
    assert [each["key"] for each in evaluation["findOut"]] == [each.id for each in page.find_out] == ["QC-12"]
    for name, column in (("score", "score"), ("scoreHigh", "score_high"), ("rating", "rating")):
        assert found[name] == evaluation[name] == pytest.approx(page.document[column])


def test_the_domains_are_those_of_the_page(alice: User, report: Report) -> None:
    found = of(alice, report)["evaluation"]["domains"]

    assert [(each["key"], each["title"], each["score"], each["scoreHigh"]) for each in found] == [
        (each.id, each.title, each.score, each.score_high) for each in ReportPage(report).domains
    ]
    assert [(each["tier"] or "").replace("_", " ").lower() for each in found] == [
        str(each.tier).lower() for each in ReportPage(report).domains
    ]


def test_the_findings_are_those_of_the_page_in_its_order(alice: User, report: Report) -> None:
    groups, found = ReportPage(report).finding_groups, of(alice, report)["evaluation"]["findings"]

    assert [
        (each["severity"].lower(), each["asked"]["key"], each["asked"]["label"], each["asked"]["gap"]) for each in found
    ] == [
        (group.severity, each.asked.id, each.asked.answer, each.asked.gap)
        for group in groups
        for each in group.findings
    ]
    assert [each["points"] for each in found] == [each["points"] for each in (report.evaluation or {})["findings"]]
    assert len(groups) > 1


def test_the_plan_is_that_of_the_page_in_its_order(alice: User, report: Report) -> None:
    found = of(alice, report)["evaluation"]["plan"]
    waves = ReportPage(report).waves
    expected = [(wave.id, each) for wave in waves for each in wave.actions]

    assert len(waves) > 1
    assert [(each["wave"].lower(), each["number"], each["asked"]["key"], each["asked"]["title"]) for each in found] == [
        (wave, each.number, each.asked.id, each.asked.title) for wave, each in expected
    ]
    assert [each["points"] for each in found] == [each["points"] for each in (report.evaluation or {})["plan"]]
    assert [(each["projectedScore"], each["projectedRating"]) for each in found] == [
        (each.projected_score, each.projected_rating) for _wave, each in expected
    ]
    assert [each["asked"]["question"]["fix"] for each in found] == [
        list(each.asked.question.fix) for _wave, each in expected if each.asked.question
    ]


def test_the_answers_are_those_of_the_page_in_its_order(alice: User, report: Report) -> None:
    expected = [each for section in ReportPage(report).answered_sections for each in section.questions]

    assert [
        (each["key"], each["text"], each["label"], each["reason"], each["note"])
        for each in of(alice, report)["answers"]
    ] == [(each.id, each.text, each.answer, each.reason, each.note) for each in expected]


def test_the_first_report_is_compared_with_none(alice: User, earlier: Report) -> None:
    assert of(alice, earlier)["evaluation"]["comparison"] is None


def test_the_comparison_is_that_of_the_page(alice: User, earlier: Report, later: Report) -> None:
    page, found = ReportPage(later), of(alice, later)["evaluation"]["comparison"]
    assert page.comparison is not None

    assert sorted((each["change"].lower(), each["asked"]["key"]) for each in found["items"]) == sorted(
        (group.change, each.id) for group in page.change_groups for each in group.items
    )
    assert [each["points"] for each in found["items"]] == [each["points"] for each in page.changes]
    assert {each["change"] for each in found["items"]} == {"RESOLVED", "REGRESSED", "NO_LONGER_APPLICABLE"}
    assert found["previous"] == {"id": ids.encode("Report", earlier.pk)}
    assert (found["delta"], found["scopeEffect"]) == (page.comparison["delta"], page.comparison["scope_effect"])
    assert found["answersEffect"] == pytest.approx(found["delta"] - found["scopeEffect"])


def test_what_waits_for_an_answer_is_no_change(alice: User, later: Report) -> None:
    found = of(alice, later)["evaluation"]["comparison"]

    assert "QC-09" not in [each["asked"]["key"] for each in found["items"]]
    assert found["notYetAnswered"] == ReportPage(later).not_yet_answered == 1


def test_a_report_of_an_edition_that_is_not_installed_shows_keys_in_place_of_texts(alice: User, later: Report) -> None:
    later.questionnaire_digest = "0" * 64
    later.save()

    found = of(alice, later)

    assert {each["key"]: each["text"] for each in found["answers"]} == {key: key for key in later.values}
    assert [each["question"] for each in found["answers"]] == [None] * len(found["answers"])
    assert [each["asked"]["key"] for each in found["evaluation"]["plan"]] == [
        each["question"] for each in (later.evaluation or {})["plan"]
    ]


def test_a_row_counts_ten_for_it_has_to_be_fetched() -> None:
    assert prepare(Parameters(query="{ reports(first: 2) { edges { node { id } } } }")).cost == 2 + 2 * (1 + 10 + 1)
