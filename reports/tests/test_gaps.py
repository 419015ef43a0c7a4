"""What is missing never reads as if it were in place: failed gates are named wherever a result is shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from questionnaires.definition import Questionnaire
from reports.models import Report
from reports.presentation import ReportPage
from reports.tests.makers import GOLDEN, evaluated, stored
from reports.wording import missing

FULLY = dict.fromkeys(GOLDEN, "F")
Words = Callable[[str], str]


def text_of(page: bytes) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))).strip()


@pytest.fixture
def words(alice_client: Client) -> Words:
    return lambda address: text_of(alice_client.get(address).content)


def report_of(report: Report) -> str:
    return f"/reports/{report.pk}/"


def panel_of(report: Report) -> str:
    return f"/reports/panel/{report.submission}/"


def gap(questionnaire: Questionnaire, key: str) -> str:
    """What reports say where nothing of it is in place."""
    return missing(questionnaire.by_id[key], "N")


@pytest.mark.parametrize("address", [report_of, panel_of])
def test_a_failed_gate_is_told_by_what_is_missing(
    alice: User, quick_check: Questionnaire, words: Words, address: Callable[[Report], str]
) -> None:
    report = stored(evaluated(quick_check, alice.organisation, {**FULLY, "QC-03": "N"}))

    shown = words(address(report))

    assert f"1 essential missing; it keeps the rating at D or below: QC-03 {gap(quick_check, 'QC-03')}" in shown


@pytest.mark.parametrize("staff_page", ["change", "as-customer"])
def test_the_administration_tells_it_by_what_is_missing_too(
    alice: User, client: Client, admin_user: User, quick_check: Questionnaire, staff_page: str
) -> None:
    report = stored(evaluated(quick_check, alice.organisation, {**FULLY, "QC-03": "N"}))
    client.force_login(admin_user)

    shown = text_of(client.get(f"/admin/reports/report/{report.pk}/{staff_page}/").content)

    assert f"it keeps the rating at D or below: QC-03 {gap(quick_check, 'QC-03')}" in shown


def test_the_questions_own_sentence_appears_as_the_question_alone(
    alice: User, alice_client: Client, quick_check: Questionnaire
) -> None:
    nothing = dict.fromkeys(GOLDEN, "N") | {"QC-04": "dont_know", "QC-05": "P"}
    page = alice_client.get(report_of(stored(evaluated(quick_check, alice.organisation, nothing)))).content.decode()
    before_the_answers = unescape(page.split('id="answers"')[0])

    for question in quick_check.questions:
        if question.scored and question.id in nothing:
            places = re.findall(rf"(.{{60}}){re.escape(question.text)}", before_the_answers, re.DOTALL)
            assert places, question.id
            assert all("Question</span> " in each for each in places), question.id


def test_what_is_partly_in_place_is_not_said_to_be_missing_altogether(quick_check: Questionnaire) -> None:
    question = quick_check.by_id["QC-03"].model_copy(update={"gap": ""})

    assert missing(question, "N") == f"Not in place: {question.action}"
    assert missing(question, "P") == f"Not fully in place: {question.action}"
    assert missing(question, "dont_know") == f"Not known whether it is done: {question.action}"


def test_the_gap_of_the_questionnaire_is_what_is_said(quick_check: Questionnaire) -> None:
    question = quick_check.by_id["QC-03"].model_copy(update={"gap": "Updates come too late"})

    assert [missing(question, answer) for answer in ("N", "L")] == ["Updates come too late"] * 2
    assert missing(question, "dont_know") == f"Not known whether it is done: {question.action}"


def test_a_gate_that_is_not_known_is_not_said_to_be_missing(
    alice: User, quick_check: Questionnaire, words: Words
) -> None:
    report = stored(evaluated(quick_check, alice.organisation, {**FULLY, "QC-03": "dont_know"}))
    action = quick_check.by_id["QC-03"].action
    unknown = f"QC-03 Not known whether it is done: {action} (counts as missing until you find out)"

    for address in (report_of(report), panel_of(report)):
        shown = words(address)
        assert f"1 essential not known; it keeps the rating at D or below: {unknown}" in shown
        assert gap(quick_check, "QC-03") not in shown.split("Appendix")[0]


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"QC-03": "N", "QC-04": "N"}, "2 essentials missing; they keep the rating at D or below:"),
        (
            {"QC-03": "dont_know", "QC-04": "N"},
            "2 essentials missing or not known; they keep the rating at D or below:",
        ),
        ({"QC-03": "N", "QC-04": "N", "QC-06": "N"}, "3 essentials missing; they keep the rating at E:"),
        ({"QC-03": "dont_know", "QC-04": "dont_know"}, "2 essentials not known; they keep the rating at D or below:"),
    ],
)
@pytest.mark.parametrize("others", ["F", "P", "N"])
def test_failed_gates_are_listed_whether_or_not_they_lower_the_letter(
    alice: User, quick_check: Questionnaire, words: Words, others: str, answers: dict[str, Any], sentence: str
) -> None:
    rest = {**dict.fromkeys(GOLDEN, others), **dict.fromkeys(("QC-03", "QC-04", "QC-06", "QC-09"), "P")}
    report = stored(evaluated(quick_check, alice.organisation, {**rest, **answers}))

    for address in (report_of(report), panel_of(report)):
        assert sentence in words(address)
    page = ReportPage(report)
    assert [each.id for each in page.failed_gates] == sorted(answers)
    assert all(key in page.verdict[0] for key in answers)


def test_where_no_gate_failed_nothing_is_said_of_them(alice: User, quick_check: Questionnaire, words: Words) -> None:
    report = stored(evaluated(quick_check, alice.organisation, {**FULLY, "QC-05": "N"}))

    for address in (report_of(report), panel_of(report)):
        assert "essential" not in words(address).split("Appendix")[0]


def test_before_half_is_answered_failed_gates_are_listed_without_a_letter(
    alice: User, quick_check: Questionnaire, words: Words
) -> None:
    report = stored(evaluated(quick_check, alice.organisation, {"QC-03": "N", "QC-04": "N", "QC-06": "N"}))

    shown = words(panel_of(report))

    assert f"3 essentials missing: QC-03 {gap(quick_check, 'QC-03')}" in shown
    assert "rating at" not in shown


def test_a_report_of_an_edition_that_is_not_installed_names_them_by_their_ids(
    alice: User, quick_check: Questionnaire, words: Words
) -> None:
    report = stored(evaluated(quick_check, alice.organisation, {**FULLY, "QC-03": "N"}))
    report.questionnaire_digest = "0" * 64
    report.save()

    assert "1 essential missing; it keeps the rating at D or below: QC-03 Not fully in place" in words(
        report_of(report)
    )


def test_what_got_worse_is_told_by_what_is_open_now(alice: User, quick_check: Questionnaire, words: Words) -> None:
    stored(evaluated(quick_check, alice.organisation, FULLY, provisional=False))
    worse = stored(evaluated(quick_check, alice.organisation, {**FULLY, "QC-05": "N"}, provisional=False))

    shown = words(report_of(worse))

    assert f"Got worse 1 QC-05 {gap(quick_check, 'QC-05')}" in shown


@pytest.mark.parametrize(
    ("answers", "headline"),
    [
        (dict.fromkeys(GOLDEN, "dont_know"), "It is not known whether basic protections are in place: find out now."),
        ({**FULLY, "QC-03": "dont_know"}, "It is not known whether important protections are in place."),
        ({**FULLY, "QC-03": "dont_know", "QC-01": "N"}, "Important protections are missing."),
        ({**FULLY, "QC-03": "dont_know", "QC-04": "N"}, "Important protections are missing."),
    ],
)
def test_the_headline_says_missing_only_of_what_is_known(
    alice: User, quick_check: Questionnaire, answers: dict[str, Any], headline: str
) -> None:
    report = stored(evaluated(quick_check, alice.organisation, answers, provisional=False))

    assert ReportPage(report).headline == headline
