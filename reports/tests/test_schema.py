"""Reports through GraphQL say what their page says."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from api import ids
from config.tests.whole_schema import data
from questionnaires.definition import Questionnaire
from reports.models import Report
from reports.presentation import ReportPage
from reports.tests.makers import GOLDEN, evaluated, stored

REPORT = """
query ($id: ID!) {
  report(id: $id) {
    title revision state score scoreHigh rating
    answers { key text label reason note question { why references { cpg } } value { choice notApplicable dontKnow } }
    evaluation {
      headline verdict score scoreHigh rating ratingUncapped complete answered visible
      cappedBy { key text }
      findOut { key }
      domains { key title score scoreHigh tier }
      findings { asked { key label } severity points target }
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
    assert [each["key"] for each in evaluation["cappedBy"]] == [each.id for each in page.caps]
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
    groups = ReportPage(report).finding_groups

    assert [
        (each["severity"].lower(), each["asked"]["key"], each["asked"]["label"], each["points"])
        for each in of(alice, report)["evaluation"]["findings"]
    ] == [
        (group.severity, each.asked.id, each.asked.answer, each.points) for group in groups for each in group.findings
    ]
    assert len(groups) > 1


def test_the_plan_is_that_of_the_page_in_its_order(alice: User, report: Report) -> None:
    found = of(alice, report)["evaluation"]["plan"]
    waves = ReportPage(report).waves
    expected = [(wave.id, each) for wave in waves for each in wave.actions]

    assert len(waves) > 1
    assert [
        (each["wave"].lower(), each["number"], each["asked"]["key"], each["asked"]["title"], each["points"])
        for each in found
    ] == [(wave, each.number, each.asked.id, each.asked.title, each.points) for wave, each in expected]
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

    assert sorted((each["change"].lower(), each["asked"]["key"], each["points"]) for each in found["items"]) == sorted(
        (group.change, each.id, each.points) for group in page.change_groups for each in group.items
    )
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
