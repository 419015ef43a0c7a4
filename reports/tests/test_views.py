"""Lists, changes, panel and page: what they show, to whom, and at what cost."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Organisation, User
from contracts.lines import first_line
from questionnaires.definition import Questionnaire
from reports.models import Feed, Report
from reports.tests.makers import GOLDEN, evaluated, stored, withdrawn
from security.scoring import ENGINE

ROW = re.compile(r'data-report="([^"]+)"')


def _many(organisation: Organisation, questionnaire: Questionnaire, count: int) -> None:
    """Plain rows: what the list shows of them comes from their columns."""
    Report.objects.bulk_create(
        Report(
            organisation=organisation,
            submission=uuid4(),
            line=first_line(organisation.pk, questionnaire.slug),
            questionnaire_slug=questionnaire.slug,
            questionnaire_version=questionnaire.version,
            questionnaire_digest=questionnaire.digest,
            questionnaire_title=questionnaire.title,
            revision=1,
            provisional=False,
            engine=ENGINE,
            rating="D",
            score="50",
            score_high="50",
            position=Feed.objects.advance(organisation.pk),
            event_id=uuid4(),
        )
        for _ in range(count)
    )


class TestList:
    def test_it_shows_the_organisations_reports_newest_first(
        self, alice: User, bob_client: Client, charlie: User, quick_check: Questionnaire
    ) -> None:
        old = stored(evaluated(quick_check, alice.organisation))
        new = stored(evaluated(quick_check, alice.organisation, provisional=False))
        stored(evaluated(quick_check, charlie.organisation))

        page = bob_client.get("/reports/").content.decode()

        assert ROW.findall(page) == [str(new.pk), str(old.pk)]
        assert 'data-position="2"' in page

    def test_withdrawn_reports_are_gone(self, alice: User, alice_client: Client, quick_check: Questionnaire) -> None:
        report = stored(evaluated(quick_check, alice.organisation))
        stored(withdrawn(quick_check, alice.organisation, report.submission, revision=2))

        assert ROW.findall(alice_client.get("/reports/").content.decode()) == []

    def test_it_says_what_to_do_while_it_is_empty(self, alice_client: Client) -> None:
        page = alice_client.get("/reports/").content.decode()

        assert "No reports yet" in page
        assert reverse("questionnaire-list") in page

    @pytest.mark.parametrize(
        ("query", "shown"),
        [
            ("state=final", [True]),
            ("state=provisional", [False]),
            ("questionnaire=quick-check", [True, False]),
            ("questionnaire=other", []),
        ],
    )
    def test_it_can_be_filtered(
        self, alice: User, alice_client: Client, quick_check: Questionnaire, query: str, shown: list[bool]
    ) -> None:
        stored(evaluated(quick_check, alice.organisation))
        stored(evaluated(quick_check, alice.organisation, provisional=False))

        page = alice_client.get(f"/reports/?{query}").content.decode()

        finals = {str(report.pk) for report in Report.objects.finals()}
        assert [key in finals for key in ROW.findall(page)] == shown

    @pytest.mark.parametrize("query", ["state=wrong", "questionnaire=%00"])
    def test_a_wrong_filter_is_a_bad_request(self, alice_client: Client, query: str) -> None:
        assert alice_client.get(f"/reports/?{query}").status_code == 400

    def test_it_has_50_rows_a_page(self, alice: User, alice_client: Client, quick_check: Questionnaire) -> None:
        _many(alice.organisation, quick_check, 60)

        first, second = (alice_client.get(f"/reports/?page={number}").content.decode() for number in (1, 2))

        assert (len(ROW.findall(first)), len(ROW.findall(second))) == (50, 10)
        assert not set(ROW.findall(first)) & set(ROW.findall(second))

    def test_its_queries_do_not_grow_with_its_rows(
        self,
        alice: User,
        alice_client: Client,
        quick_check: Questionnaire,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for count in (10, 190):
            _many(alice.organisation, quick_check, count)
            with django_assert_num_queries(8):
                alice_client.get("/reports/")

    def test_a_person_of_two_organisations_chooses(
        self, alice: User, alice_client: Client, charlie: User, quick_check: Questionnaire
    ) -> None:
        alice.join(charlie.organisation)
        theirs = stored(evaluated(quick_check, charlie.organisation))

        assert ROW.findall(alice_client.get("/reports/").content.decode()) == []
        page = alice_client.get(f"/reports/?organisation={charlie.organisation.pk}").content.decode()
        assert ROW.findall(page) == [str(theirs.pk)]

    def test_a_person_without_an_organisation_sees_an_empty_list(self, alice: User, alice_client: Client) -> None:
        alice.memberships.all().delete()

        assert alice_client.get("/reports/").status_code == 200
        assert alice_client.get("/reports/changes/?after=0").json() == {"position": 0, "more": False, "changes": []}


class TestChanges:
    def test_they_are_the_rows_after_a_position(
        self, alice: User, alice_client: Client, quick_check: Questionnaire
    ) -> None:
        stored(evaluated(quick_check, alice.organisation))
        report = stored(evaluated(quick_check, alice.organisation))
        gone = stored(withdrawn(quick_check, alice.organisation, uuid4(), revision=1))

        answer = alice_client.get("/reports/changes/?after=1").json()

        assert (answer["position"], answer["more"]) == (3, False)
        assert [(change["id"], change["removed"]) for change in answer["changes"]] == [
            (str(report.pk), False),
            (str(gone.pk), True),
        ]
        assert answer["changes"][1]["row"] == ""

    def test_a_row_is_the_very_one_of_the_list(
        self, alice: User, alice_client: Client, quick_check: Questionnaire
    ) -> None:
        stored(evaluated(quick_check, alice.organisation))

        row = alice_client.get("/reports/changes/?after=0").json()["changes"][0]["row"]

        assert row in alice_client.get("/reports/").content.decode()

    def test_what_the_filter_hides_is_removed(
        self, alice: User, alice_client: Client, quick_check: Questionnaire
    ) -> None:
        stored(evaluated(quick_check, alice.organisation))

        answer = alice_client.get("/reports/changes/?state=final&after=0").json()

        assert [change["removed"] for change in answer["changes"]] == [True]

    def test_there_is_more_after_a_hundred(self, alice: User, alice_client: Client, quick_check: Questionnaire) -> None:
        _many(alice.organisation, quick_check, 101)

        first = alice_client.get("/reports/changes/?after=0").json()
        rest = alice_client.get(f"/reports/changes/?after={first['position']}").json()

        assert (len(first["changes"]), first["more"]) == (100, True)
        assert (len(rest["changes"]), rest["more"], rest["position"]) == (1, False, 101)

    @pytest.mark.parametrize("query", ["page=1", "page=2", "page=9", "page=1&state=final", "page=1&state=provisional"])
    def test_with_a_page_they_bring_that_page_of_the_list_as_a_reload_would_show_it(
        self, alice: User, alice_client: Client, quick_check: Questionnaire, query: str
    ) -> None:
        _many(alice.organisation, quick_check, 60)
        query = f"{query}&organisation={alice.organisation.pk}"

        shown = alice_client.get(f"/reports/changes/?{query}&after=59").json()["list"]

        assert shown.strip() in alice_client.get(f"/reports/?{query}").content.decode()
        assert "list" not in alice_client.get(f"/reports/changes/?{query}&after=60").json()

    def test_the_page_of_the_list_chooses_no_organisation_for_other_pages(
        self, alice: User, alice_client: Client, charlie: User, quick_check: Questionnaire
    ) -> None:
        alice.join(charlie.organisation)
        ours = stored(evaluated(quick_check, alice.organisation))
        theirs = stored(evaluated(quick_check, charlie.organisation))

        answer = alice_client.get(f"/reports/changes/?page=1&organisation={theirs.organisation_id}&after=0").json()

        assert ROW.findall(answer["list"]) == [str(theirs.pk)]
        assert ROW.findall(alice_client.get("/reports/").content.decode()) == [str(ours.pk)]

    def test_a_position_ahead_of_ours_comes_back_to_it(
        self, alice: User, alice_client: Client, quick_check: Questionnaire
    ) -> None:
        stored(evaluated(quick_check, alice.organisation))

        assert alice_client.get("/reports/changes/?after=99").json()["position"] == 1

    @pytest.mark.parametrize("after", ["", "-1", "1.5", "x", "²", "9" * 40])
    def test_a_wrong_position_is_a_bad_request(self, alice_client: Client, after: str) -> None:
        response = alice_client.get("/reports/changes/", {"after": after})

        assert response.status_code == 400
        assert "whole number" in response.json()["error"]

    def test_strangers_get_none_of_them(self, alice: User, charlie_client: Client, quick_check: Questionnaire) -> None:
        stored(evaluated(quick_check, alice.organisation))

        assert charlie_client.get("/reports/changes/?after=0").json()["changes"] == []

    def test_those_of_one_submission_can_be_asked_for(
        self, alice: User, alice_client: Client, charlie: User, quick_check: Questionnaire
    ) -> None:
        alice.join(charlie.organisation)
        stored(evaluated(quick_check, alice.organisation))
        theirs = stored(evaluated(quick_check, charlie.organisation))
        url = f"/reports/changes/?submission={theirs.submission}&after="

        assert [change["id"] for change in alice_client.get(f"{url}0").json()["changes"]] == [str(theirs.pk)]
        assert alice_client.get(f"{url}{theirs.position}").json()["changes"] == []

    def test_a_strangers_submission_has_as_few_as_one_that_does_not_exist(
        self, alice: User, charlie_client: Client, quick_check: Questionnaire
    ) -> None:
        report = stored(evaluated(quick_check, alice.organisation))

        theirs, none = (
            charlie_client.get(f"/reports/changes/?submission={key}&after=0") for key in (report.submission, uuid4())
        )

        assert (theirs.status_code, theirs.content) == (none.status_code, none.content)
        assert none.json() == {"position": 0, "more": False, "changes": []}

    def test_a_submission_that_is_none_is_a_bad_request(self, alice_client: Client) -> None:
        assert alice_client.get("/reports/changes/?submission=x&after=0").status_code == 400

    def test_their_queries_do_not_grow(
        self,
        alice: User,
        alice_client: Client,
        quick_check: Questionnaire,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for count in (10, 80):
            _many(alice.organisation, quick_check, count)
            with django_assert_num_queries(4):
                alice_client.get("/reports/changes/?after=0")


def _report_url(report: Report) -> str:
    return f"/reports/{report.pk}/"


def _panel_url(report: Report) -> str:
    return f"/reports/panel/{report.submission}/"


def _list_url(report: Report) -> str:
    return f"/reports/?organisation={report.organisation_id}"


def _changes_url(report: Report) -> str:
    return f"/reports/changes/?after=0&organisation={report.organisation_id}"


@pytest.mark.parametrize("url_of", [_report_url, _panel_url, _list_url, _changes_url])
class TestIsolation:
    def test_somebody_elses_is_the_very_404_of_none(
        self,
        alice: User,
        charlie_client: Client,
        quick_check: Questionnaire,
        url_of: Callable[[Report], str],
    ) -> None:
        report = stored(evaluated(quick_check, alice.organisation))
        none = Report(pk=uuid4(), submission=uuid4(), organisation_id=uuid4())

        theirs, nothing = charlie_client.get(url_of(report)), charlie_client.get(url_of(none))

        assert (theirs.status_code, nothing.status_code) == (404, 404)
        assert _without_tokens(theirs.content) == _without_tokens(nothing.content)

    def test_an_anonymous_visitor_is_sent_to_login(
        self, client: Client, alice: User, quick_check: Questionnaire, url_of: Callable[[Report], str]
    ) -> None:
        response = client.get(url_of(stored(evaluated(quick_check, alice.organisation))))

        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/login/?next=/reports/")

    def test_only_reading_is_offered(
        self, alice: User, alice_client: Client, quick_check: Questionnaire, url_of: Callable[[Report], str]
    ) -> None:
        assert alice_client.post(url_of(stored(evaluated(quick_check, alice.organisation)))).status_code == 405


def _without_tokens(page: bytes) -> bytes:
    """CSRF tokens differ with every rendering."""
    return re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", page)


@pytest.mark.parametrize("url_of", [_report_url, _panel_url])
def test_a_withdrawn_report_is_not_found(
    alice: User, alice_client: Client, quick_check: Questionnaire, url_of: Callable[[Report], str]
) -> None:
    report = stored(withdrawn(quick_check, alice.organisation, uuid4(), revision=1))

    assert alice_client.get(url_of(report)).status_code == 404


class TestPanel:
    def test_it_shows_score_band_rating_and_failed_gates(
        self, alice: User, alice_client: Client, quick_check: Questionnaire
    ) -> None:
        report = stored(evaluated(quick_check, alice.organisation))

        words = _words(alice_client.get(_panel_url(report)).content)

        assert "Rating D" in words
        assert "50 of 100" in words
        assert "Up to 58.3: 1 answer is “don't know”." in words
        assert "1 essential missing; it keeps the rating at D or below: QC-06" in words
        assert "12 of 12 scored questions answered" in words

    def test_the_tag_is_sensible_before_anything_is_evaluated(self, alice: User) -> None:
        words = _words(_rendered("{% evaluation_panel submission %}", alice, uuid4()).encode())

        assert "appear here with the first answer" in words

    def test_who_waits_for_a_report_is_not_told_to_answer_first(self, alice: User) -> None:
        page = _rendered("{% evaluation_panel submission due=2 %}", alice, uuid4())

        assert "Your report is being made" in page
        assert "first answer" not in page

    @pytest.mark.parametrize(
        ("revision", "provisional", "waits"), [(6, False, True), (7, True, True), (7, False, False)]
    )
    def test_a_report_is_waited_for_until_it_is_final(
        self, alice: User, quick_check: Questionnaire, revision: int, provisional: bool, waits: bool
    ) -> None:
        report = stored(evaluated(quick_check, alice.organisation, revision=revision, provisional=provisional))

        page = _rendered("{% evaluation_panel submission due=7 %}", alice, report.submission)

        assert ('data-live-wait="7"' in page) is waits

    @pytest.mark.parametrize(("provisional", "title"), [(True, "Your evaluation so far"), (False, "Your evaluation")])
    def test_its_title_says_whether_answers_are_still_being_given(
        self, alice: User, quick_check: Questionnaire, provisional: bool, title: str
    ) -> None:
        report = stored(evaluated(quick_check, alice.organisation, provisional=provisional))

        page = _rendered("{% evaluation_panel submission %}", alice, report.submission)

        assert f">{title}</h2>" in page

    def test_the_tag_shows_nothing_of_a_stranger(self, alice: User, charlie: User, quick_check: Questionnaire) -> None:
        report = stored(evaluated(quick_check, alice.organisation))

        assert "Rating" not in _rendered("{% evaluation_panel submission %}", charlie, report.submission)
        assert _rendered("{% evaluation_link submission %}", charlie, report.submission).strip() == ""

    def test_the_link_leads_to_the_newest_report(self, alice: User, quick_check: Questionnaire) -> None:
        stored(evaluated(quick_check, alice.organisation, submission=(key := uuid4()), provisional=False))
        newest = stored(evaluated(quick_check, alice.organisation, submission=key, revision=2))

        assert newest.get_absolute_url() in _rendered("{% evaluation_link submission %}", alice, key)

    def test_waiting_for_a_final_report_says_so(self, alice: User, quick_check: Questionnaire) -> None:
        page = _rendered("{% evaluation_panel submission wait=7 %}", alice, uuid4())

        assert 'data-live-wait="7"' in page
        assert "Your report is being made" in page


def _rendered(tag: str, user: User, submission: Any) -> str:
    request = RequestFactory().get("/")
    request.user = user
    context = Context({"request": request, "submission": submission})
    return Template("{% load reporting %}" + tag).render(context)


def _words(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode())).replace("&#x27;", "'")


@pytest.fixture
def words_of(alice_client: Client) -> Callable[[Report], str]:
    return lambda report: _words(alice_client.get(_report_url(report)).content)


class TestPage:
    """The golden vector of SCORING 11 as a customer reads it."""

    def test_the_verdict_is_in_words(
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
        page = alice_client.get(_report_url(report)).content.decode()
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

        page = alice_client.get(_report_url(report)).content.decode()

        assert attack not in page
        assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3

    def test_nothing_is_inline(self, alice: User, alice_client: Client, quick_check: Questionnaire) -> None:
        report = stored(evaluated(quick_check, alice.organisation))
        for url in ("/reports/", _report_url(report), _panel_url(report)):
            page = alice_client.get(url).content.decode()
            assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]* src=)", page)

    def test_an_unknown_edition_of_the_questionnaire_still_gives_a_page(
        self, alice: User, alice_client: Client, quick_check: Questionnaire
    ) -> None:
        report = stored(evaluated(quick_check, alice.organisation))
        report.questionnaire_digest = "0" * 64
        report.save()

        response = alice_client.get(_report_url(report))

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
                alice_client.get(_report_url(report))


class TestAdministration:
    @pytest.fixture
    def staff(self, client: Client, admin_user: User) -> Client:
        client.force_login(admin_user)
        return client

    def test_reports_can_be_found_and_read_as_the_customer_sees_them(
        self, staff: Client, alice: User, quick_check: Questionnaire
    ) -> None:
        report = stored(evaluated(quick_check, alice.organisation, provisional=False))

        found = staff.get("/admin/reports/report/", {"q": "Acme", "rating": "D"}).content.decode()
        change = staff.get(f"/admin/reports/report/{report.pk}/change/").content.decode()
        preview = staff.get(f"/admin/reports/report/{report.pk}/as-customer/").content.decode()

        assert str(report.pk) in found
        for page in (change, preview):
            assert "Important protections are missing." in page
        assert "Change answers" not in preview

    def test_the_list_does_not_grow_with_the_organisations(
        self, staff: Client, alice: User, quick_check: Questionnaire
    ) -> None:
        Organisation.objects.bulk_create(Organisation(name=f"Customer {n}") for n in range(30))
        stored(evaluated(quick_check, alice.organisation))
        page = staff.get("/admin/reports/report/").content.decode()
        assert "Acme" in page
        assert "Customer " not in page

    def test_reports_of_organisations_of_one_name_differ_and_cost_no_statement_each(
        self, staff: Client, alice: User, quick_check: Questionnaire, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        reports = [
            stored(evaluated(quick_check, each))
            for each in (alice.organisation, Organisation.objects.create(name="Acme"))
        ]

        with CaptureQueriesContext(connection) as few:
            rows = html.unescape(staff.get("/admin/reports/report/").content.decode())
        statements = len(few)

        for report in reports:
            label = str(Organisation.objects.described().get(pk=report.organisation_id))
            assert label in rows
            page = html.unescape(staff.get(f"/admin/reports/report/{report.pk}/change/").content.decode())
            assert label in page
            assert str(report.pk)[:8] in page
        for name in range(5):
            stored(evaluated(quick_check, Organisation.objects.create(name=f"Customer {name}")))
        with django_assert_num_queries(statements):
            staff.get("/admin/reports/report/")

    def test_nothing_can_be_changed(self, staff: Client, alice: User, quick_check: Questionnaire) -> None:
        report = stored(evaluated(quick_check, alice.organisation, provisional=False))
        url = f"/admin/reports/report/{report.pk}"

        assert staff.post(f"{url}/change/", {"rating": "A"}).status_code == 403
        assert staff.post(f"{url}/delete/", {"post": "yes"}).status_code == 403
        assert staff.get("/admin/reports/report/add/").status_code == 403

    def test_a_tombstone_can_be_looked_at(self, staff: Client, alice: User, quick_check: Questionnaire) -> None:
        report = stored(withdrawn(quick_check, alice.organisation, uuid4(), revision=1))

        page = staff.get(f"/admin/reports/report/{report.pk}/change/").content.decode()

        assert "Withdrawn: the draft was deleted" in page

    def test_customers_and_staff_without_the_permission_do_not_get_in(
        self, alice: User, alice_client: Client, quick_check: Questionnaire
    ) -> None:
        url = f"/admin/reports/report/{stored(evaluated(quick_check, alice.organisation)).pk}/as-customer/"
        assert alice_client.get(url).status_code == 302

        User.objects.filter(pk=alice.pk).update(is_staff=True)

        assert alice_client.get(url).status_code == 403

    def test_an_administrator_sees_no_foreign_report_on_the_customers_pages(
        self, staff: Client, alice: User, quick_check: Questionnaire
    ) -> None:
        assert staff.get(_report_url(stored(evaluated(quick_check, alice.organisation)))).status_code == 404


def test_a_score_and_its_of_100_stay_on_one_line(alice: User, alice_client: Client, quick_check: Questionnaire) -> None:
    report = stored(evaluated(quick_check, alice.organisation))
    together = re.compile(r'<span class="together"><strong[^>]*>[\d.]+</strong> ?<span class="muted"> ?of 100')

    for address in (_report_url(report), _panel_url(report)):
        assert len(together.findall(alice_client.get(address).content.decode())) == 1, address


class TestOrganisations:
    @pytest.fixture
    def theirs(self, alice: User, charlie: User, quick_check: Questionnaire) -> Report:
        """A report of the second organisation of Alice."""
        alice.join(charlie.organisation)
        stored(evaluated(quick_check, alice.organisation))
        return stored(evaluated(quick_check, charlie.organisation))

    def test_a_report_leads_back_to_the_list_of_its_organisation(self, alice_client: Client, theirs: Report) -> None:
        page = alice_client.get(_report_url(theirs)).content.decode()

        assert f'class="back-link" href="/reports/?organisation={theirs.organisation_id}"' in page
        assert set(re.findall(r'"/questionnaires/\?organisation=([^"]+)"', page.split("organisation-menu")[0])) == {
            str(theirs.organisation_id)
        }

    def test_the_changes_of_a_list_stay_in_its_organisation_when_another_tab_chooses(
        self, alice: User, alice_client: Client, theirs: Report
    ) -> None:
        page = alice_client.get(f"/reports/?organisation={theirs.organisation_id}").content.decode()
        address = re.search(r'data-changes-url="([^"]+)"', page)
        assert address
        alice_client.get(f"/reports/?organisation={alice.organisation.pk}")

        news = alice_client.get(html.unescape(address[1]) + "0").json()

        assert [change["id"] for change in news["changes"]] == [str(theirs.pk)]

    def test_a_list_shown_without_a_name_carries_the_organisation_all_the_same(
        self, alice: User, alice_client: Client, theirs: Report
    ) -> None:
        page = alice_client.get("/reports/").content.decode()

        query = f"organisation={alice.organisation.pk}&amp;page=1&amp;after="
        assert f'data-changes-url="/reports/changes/?{query}"' in page
        assert f'<input type="hidden" name="organisation" value="{alice.organisation.pk}">' in page
