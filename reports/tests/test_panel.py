"""The panel beside the questions."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from questionnaires.definition import Questionnaire
from reports.tests.addresses import panel_url, rendered, words_in
from reports.tests.makers import evaluated, stored


class TestPanel:
    def test_it_shows_score_band_rating_and_failed_gates(
        self, alice: User, alice_client: Client, quick_check: Questionnaire
    ) -> None:
        report = stored(evaluated(quick_check, alice.organisation))

        words = words_in(alice_client.get(panel_url(report)).content)

        assert "Rating D" in words
        assert "50 of 100" in words
        assert "Up to 58.3: 1 answer is “don't know”." in words
        assert "1 essential missing; it keeps the rating at D or below: QC-06" in words
        assert "12 of 12 scored questions answered" in words

    def test_the_tag_is_sensible_before_anything_is_evaluated(self, alice: User) -> None:
        words = words_in(rendered("{% evaluation_panel submission %}", alice, uuid4()).encode())

        assert "appear here with the first answer" in words

    def test_who_waits_for_a_report_is_not_told_to_answer_first(self, alice: User) -> None:
        page = rendered("{% evaluation_panel submission due=2 %}", alice, uuid4())

        assert "Your report is being made" in page
        assert "first answer" not in page

    @pytest.mark.parametrize(
        ("revision", "provisional", "waits"), [(6, False, True), (7, True, True), (7, False, False)]
    )
    def test_a_report_is_waited_for_until_it_is_final(
        self, alice: User, quick_check: Questionnaire, revision: int, provisional: bool, waits: bool
    ) -> None:
        report = stored(evaluated(quick_check, alice.organisation, revision=revision, provisional=provisional))

        page = rendered("{% evaluation_panel submission due=7 %}", alice, report.submission)

        assert ('data-live-wait="7"' in page) is waits

    @pytest.mark.parametrize(("provisional", "title"), [(True, "Your evaluation so far"), (False, "Your evaluation")])
    def test_its_title_says_whether_answers_are_still_being_given(
        self, alice: User, quick_check: Questionnaire, provisional: bool, title: str
    ) -> None:
        report = stored(evaluated(quick_check, alice.organisation, provisional=provisional))

        page = rendered("{% evaluation_panel submission %}", alice, report.submission)

        assert f">{title}</h2>" in page

    def test_the_tag_shows_nothing_of_a_stranger(self, alice: User, charlie: User, quick_check: Questionnaire) -> None:
        report = stored(evaluated(quick_check, alice.organisation))

        assert "Rating" not in rendered("{% evaluation_panel submission %}", charlie, report.submission)
        assert rendered("{% evaluation_link submission %}", charlie, report.submission).strip() == ""

    def test_the_link_leads_to_the_newest_report(self, alice: User, quick_check: Questionnaire) -> None:
        stored(evaluated(quick_check, alice.organisation, submission=(key := uuid4()), provisional=False))
        newest = stored(evaluated(quick_check, alice.organisation, submission=key, revision=2))

        assert newest.get_absolute_url() in rendered("{% evaluation_link submission %}", alice, key)

    def test_waiting_for_a_final_report_says_so(self, alice: User, quick_check: Questionnaire) -> None:
        page = rendered("{% evaluation_panel submission wait=7 %}", alice, uuid4())

        assert 'data-live-wait="7"' in page
        assert "Your report is being made" in page
