"""The report's page: what it shows, and in which words."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from questionnaires.definition import Questionnaire
from reports.models import Report
from reports.tests.addresses import panel_url, report_url, words_in
from reports.tests.makers import GOLDEN, evaluated, stored
from security.scoring import ENGINE


@pytest.fixture
def words_of(alice_client: Client) -> Callable[[Report], str]:
    return lambda report: words_in(alice_client.get(report_url(report)).content)


class TestPage:
    """The golden vector of SCORING 11 as a customer reads it."""

    def test_the_verdict_is_inwords_in(
        self, alice: User, quick_check: Questionnaire, words_of: Callable[[Report], str]
    ) -> None:
        words = words_of(stored(evaluated(quick_check, alice.organisation, provisional=False)))

        assert "Important protections are missing." in words
        assert (
            "You reach 50 of 100 points. On their own they would rate C; the rating is capped at D by QC-06." in words
        )
        assert "The biggest gains, 25 points together:" in words
        assert "50 to 58.3: 1 answer is “don't know”." in words
        assert "so far" not in words

    def test_domains_have_their_scores_and_tiers(
        self, alice: User, quick_check: Questionnaire, words_of: Callable[[Report], str]
    ) -> None:
        words = words_of(stored(evaluated(quick_check, alice.organisation, provisional=False)))

        titles = {domain.id: domain.title for domain in quick_check.domains}
        for domain, figures in {
            "GV": "100 of 100 100 Adaptive",
            "ID": "50 of 100 50 Repeatable",
            "PR": "47.6 of 100 47.6 Risk Informed",
            "DE": "66.7 of 100 66.7 Repeatable",
            "RS": "0 to 100 of 100 0 to 100 Partial",
        }.items():
            title = titles[domain].replace("'", "'")
            assert f"{title} {title} {figures}" in words

    def test_findings_and_plan_keep_their_order(
        self, alice: User, alice_client: Client, quick_check: Questionnaire
    ) -> None:
        report = stored(evaluated(quick_check, alice.organisation, provisional=False))
        page = alice_client.get(report_url(report)).content.decode()
        findings, plan = page.split('id="findings"')[1].split('id="plan"')
        plan = plan.split('id="find-out"')[0]

        found = re.findall(r'<h4><span class="muted nowrap">(QC-\d\d)', findings)
        planned = re.findall(r'<span class="muted nowrap">(QC-\d\d)', plan)

        assert found == [f"QC-{n}" for n in ("06", "11", "12", "02", "08", "09", "03", "05", "10")]
        assert planned == [f"QC-{n}" for n in ("06", "08", "11", "12", "02", "05", "09", "10", "03")]

    def test_a_finding_shows_the_answer_the_note_and_the_reason_why(
        self, alice: User, quick_check: Questionnaire, words_of: Callable[[Report], str]
    ) -> None:
        report = stored(evaluated(quick_check, alice.organisation, notes={"QC-06": "Planned for May"}))

        words = words_of(report)

        assert "You answered Not in place" in words
        assert "Your note Planned for May" in words
        assert quick_check.by_id["QC-06"].text.replace("'", "'") in words

    def test_the_method_is_shown_in_numbers(
        self, alice: User, quick_check: Questionnaire, words_of: Callable[[Report], str]
    ) -> None:
        words = words_of(stored(evaluated(quick_check, alice.organisation, provisional=False)))

        assert "100 × 18 ÷ 36 = 50" in words  # noqa: RUF001  (a multiplication sign)
        assert quick_check.digest in words
        assert ENGINE in words

    def test_a_provisional_one_says_how_complete_it_is(
        self, alice: User, quick_check: Questionnaire, words_of: Callable[[Report], str]
    ) -> None:
        answers = {**dict.fromkeys(list(GOLDEN)[:5], "F"), "QC-06": "N"}

        words = words_of(stored(evaluated(quick_check, alice.organisation, answers)))

        assert "So far, important protections are missing." in words
        assert "6 of 12 scored questions answered." in words

    def test_without_anything_that_counts_there_is_no_score(
        self, alice: User, quick_check: Questionnaire, words_of: Callable[[Report], str]
    ) -> None:
        words = words_of(stored(evaluated(quick_check, alice.organisation, {"staff": "1-9"})))

        assert "There is nothing to score yet." in words
        assert "of 100" not in words

    def test_where_nothing_applies_there_is_no_score_either(
        self, alice: User, quick_check: Questionnaire, words_of: Callable[[Report], str]
    ) -> None:
        nothing = {key: {"not_applicable": "We have no computers"} for key in GOLDEN}

        words = words_of(stored(evaluated(quick_check, alice.organisation, nothing, provisional=False)))

        assert "There is no score: nothing that counts applies to you." in words
        assert "Reason: We have no computers" in words

    def test_full_marks_leave_nothing_to_improve(
        self, alice: User, quick_check: Questionnaire, words_of: Callable[[Report], str]
    ) -> None:
        words = words_of(stored(evaluated(quick_check, alice.organisation, dict.fromkeys(GOLDEN, "F"))))

        assert "There is nothing left to improve in what was asked." in words
        assert "Action plan" not in words

    def test_what_changed_is_three_figures(
        self, alice: User, quick_check: Questionnaire, words_of: Callable[[Report], str]
    ) -> None:
        stored(evaluated(quick_check, alice.organisation, provisional=False))
        changed = {**GOLDEN, "QC-06": "F", "QC-01": {"not_applicable": "One person"}}

        words = words_of(stored(evaluated(quick_check, alice.organisation, changed, provisional=False)))

        assert "Score +4.5 points in total" in words
        assert "Your answers +9.1 from better or worse answers" in words
        assert "Scope −4.6 from other questions counting" in words  # noqa: RUF001  (a minus)
        assert "Resolved 1" in words
        assert "No longer counted 1" in words

    def test_what_customers_wrote_is_escaped(
        self, alice: User, alice_client: Client, quick_check: Questionnaire
    ) -> None:
        attack = "<script>alert(1)</script>"
        answers = {**GOLDEN, "QC-11": {"not_applicable": attack}, "website": attack}
        report = stored(evaluated(quick_check, alice.organisation, answers, notes={"QC-06": attack}))

        page = alice_client.get(report_url(report)).content.decode()

        assert attack not in page
        assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3

    def test_nothing_is_inline(self, alice: User, alice_client: Client, quick_check: Questionnaire) -> None:
        report = stored(evaluated(quick_check, alice.organisation))
        for url in ("/reports/", report_url(report), panel_url(report)):
            page = alice_client.get(url).content.decode()
            assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]* src=)", page)

    def test_an_unknown_edition_of_the_questionnaire_still_gives_a_page(
        self, alice: User, alice_client: Client, quick_check: Questionnaire
    ) -> None:
        report = stored(evaluated(quick_check, alice.organisation))
        report.questionnaire_digest = "0" * 64
        report.save()

        response = alice_client.get(report_url(report))

        assert response.status_code == 200
        assert "QC-06" in response.content.decode()

    def test_only_the_newest_final_one_offers_to_change_the_answers(
        self, alice: User, quick_check: Questionnaire, words_of: Callable[[Report], str]
    ) -> None:
        final = stored(evaluated(quick_check, alice.organisation, provisional=False))
        assert "Change answers" in words_of(final)

        draft = stored(evaluated(quick_check, alice.organisation, submission=final.submission, revision=2))

        assert "Change answers" not in words_of(final)
        assert "The answers are being changed." in words_of(final)
        assert "Go on answering" in words_of(draft)

    def test_its_queries_do_not_grow(
        self,
        alice: User,
        alice_client: Client,
        quick_check: Questionnaire,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for answers in ({"QC-01": "F"}, GOLDEN):
            report = stored(evaluated(quick_check, alice.organisation, answers))
            with django_assert_num_queries(6):
                alice_client.get(report_url(report))


def test_a_score_and_its_of_100_stay_on_one_line(alice: User, alice_client: Client, quick_check: Questionnaire) -> None:
    report = stored(evaluated(quick_check, alice.organisation))
    together = re.compile(r'<span class="together"><strong[^>]*>[\d.]+</strong> ?<span class="muted"> ?of 100')

    for address in (report_url(report), panel_url(report)):
        assert len(together.findall(alice_client.get(address).content.decode())) == 1, address
