"""Lists, changes and pages: to whom they are shown, and at what cost."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Organisation, User
from contracts.lines import first_line
from questionnaires.definition import Questionnaire
from reports.models import Feed, Report
from reports.tests.addresses import changes_url, list_url, panel_url, report_url
from reports.tests.makers import evaluated, stored, withdrawn
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


@pytest.mark.parametrize("url_of", [report_url, panel_url, list_url, changes_url])
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


@pytest.mark.parametrize("url_of", [report_url, panel_url])
def test_a_withdrawn_report_is_not_found(
    alice: User, alice_client: Client, quick_check: Questionnaire, url_of: Callable[[Report], str]
) -> None:
    report = stored(withdrawn(quick_check, alice.organisation, uuid4(), revision=1))

    assert alice_client.get(url_of(report)).status_code == 404


class TestOrganisations:
    @pytest.fixture
    def theirs(self, alice: User, charlie: User, quick_check: Questionnaire) -> Report:
        """A report of the second organisation of Alice."""
        alice.join(charlie.organisation)
        stored(evaluated(quick_check, alice.organisation))
        return stored(evaluated(quick_check, charlie.organisation))

    def test_a_report_leads_back_to_the_list_of_its_organisation(self, alice_client: Client, theirs: Report) -> None:
        page = alice_client.get(report_url(theirs)).content.decode()

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
