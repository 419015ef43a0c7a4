"""How much of what was asked a result is made from belongs to the result: a small part bears no large words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from questionnaires.definition import Questionnaire
from reports.models import Report
from reports.presentation import ReportPage
from reports.tests.addresses import rendered
from reports.tests.makers import GOLDEN, evaluated, stored, withdrawn
from reports.tests.test_gaps import FULLY, Words, panel_of, report_of, text_of, words

__all__ = ["words"]

NOT_FOR_US = {"not_applicable": "We have no computers"}
GATES = ("QC-03", "QC-04", "QC-06", "QC-09")
KEYS = tuple(GOLDEN)


def first(count: int, value: Any = "F") -> dict[str, Any]:
    """Answers to so many of the twelve questions."""
    return dict.fromkeys(KEYS[:count], value)


def all_but(key: str, value: Any = NOT_FOR_US) -> dict[str, Any]:
    return {**dict.fromkeys(KEYS, value), key: "F"}


@pytest.mark.parametrize(
    ("answers", "provisional", "shown"),
    [
        ({}, True, False),
        (first(1), True, False),
        (first(5), True, False),
        (first(6), True, True),
        (first(6, "dont_know"), True, True),
        (first(6, NOT_FOR_US), True, True),
        (first(12), True, True),
        (first(12), False, True),
        (first(12, NOT_FOR_US), False, True),
    ],
)
def test_a_rating_is_shown_from_half_of_the_questions_on(
    alice: User, quick_check: Questionnaire, answers: dict[str, Any], provisional: bool, shown: bool
) -> None:
    report = stored(evaluated(quick_check, alice.organisation, answers, provisional=provisional))

    assert report.rating_shown is shown
    listed = Report.objects.for_listing().get()
    assert (listed.rating_shown, listed.answered, listed.asked) == (shown, len(answers), 12)
    assert "evaluation" in listed.get_deferred_fields()


def test_a_withdrawn_one_shows_none(alice: User, quick_check: Questionnaire) -> None:
    report = stored(withdrawn(quick_check, alice.organisation, uuid4(), revision=1))

    assert not report.rating_shown
    assert not Report.objects.for_listing().get().rating_shown


@pytest.mark.parametrize("count", [0, 1, 5])
def test_until_then_every_page_says_how_many_are_answered_and_no_letter(
    alice: User, alice_client: Client, client: Client, admin_user: User, quick_check: Questionnaire, count: int
) -> None:
    report = stored(evaluated(quick_check, alice.organisation, first(count, "P")))
    change = alice_client.get("/reports/changes/?after=0").json()["changes"][0]["row"]
    pages = [alice_client.get(each).content for each in (report_of(report), panel_of(report), "/reports/")]
    client.force_login(admin_user)
    staff = "/admin/reports/report/"
    pages += [client.get(f"{staff}{each}").content for each in (f"{report.pk}/change/", f"{report.pk}/as-customer/")]
    pages.append(client.get(staff).content.split(b'id="result_list"')[1])

    for page in (*pages, change.encode()):
        assert not re.search(rb"badge-[A-E]", page)
        assert f"{count} of 12" in text_of(page)
        assert not re.search(r"\b(rates|[Rr]ating|at) [A-E]\b", text_of(page).split("Appendix")[0])
        assert "so far, " not in text_of(page).lower()
        assert not re.search(r"Adaptive|Repeatable|Risk Informed", text_of(page).split("Appendix")[0])


@pytest.mark.parametrize("count", [6, 7])
def test_a_domains_tier_waits_for_half_of_its_own_questions(
    alice: User, quick_check: Questionnaire, count: int
) -> None:
    answers = first(count, "F")
    domains = [quick_check.by_id[key].domain for key in answers]
    page = ReportPage(stored(evaluated(quick_check, alice.organisation, answers)))
    halves = {
        bar.id: 2 * domains.count(bar.id) >= sum(q.scored and q.domain == bar.id for q in quick_check.by_id.values())
        for bar in page.domains
    }

    assert {bar.id: bool(bar.tier) for bar in page.domains} == halves
    assert set(halves.values()) == {True, False}


def test_before_a_rating_nothing_is_promised(alice: User, quick_check: Questionnaire, words: Words) -> None:
    report = stored(evaluated(quick_check, alice.organisation, {"QC-02": "dont_know"}))

    assert "The biggest gain" not in words(report_of(report))
    assert "each further answer that counts makes them fewer" in words(report_of(report))


def test_its_score_and_band_are_there_from_the_first_answer(
    alice: User, quick_check: Questionnaire, words: Words
) -> None:
    report = stored(evaluated(quick_check, alice.organisation, {"QC-01": "F", "QC-02": "dont_know"}))

    for address in (report_of(report), panel_of(report), "/reports/"):
        assert re.search(r"\b50\b", words(address))
        assert re.search(r"\b100\b", words(address))
    assert "2 of 12 questions answered: too early for a rating." in words(report_of(report))


def test_the_link_on_the_submissions_page_has_no_letter_either(alice: User, quick_check: Questionnaire) -> None:
    early = stored(evaluated(quick_check, alice.organisation, first(5)))
    later = stored(evaluated(quick_check, alice.organisation, first(6)))

    assert "5 of 12 answered" in text_of(rendered("{% evaluation_link submission %}", alice, early.submission).encode())
    assert "badge-" not in rendered("{% evaluation_link submission %}", alice, early.submission)
    assert "badge-A" in rendered("{% evaluation_link submission %}", alice, later.submission)


class TestWhatDoesNotApply:
    def test_a_large_share_stands_beside_the_letter(
        self, alice: User, alice_client: Client, client: Client, admin_user: User, quick_check: Questionnaire
    ) -> None:
        report = stored(evaluated(quick_check, alice.organisation, all_but("QC-01"), provisional=False))
        client.force_login(admin_user)
        staff = f"/admin/reports/report/{report.pk}/"

        pages = [alice_client.get(each).content for each in (report_of(report), panel_of(report), "/reports/")]
        pages += [client.get(each).content for each in (f"{staff}change/", f"{staff}as-customer/")]
        pages.append(client.get("/admin/reports/report/").content)

        for page in pages:
            assert "92% does not apply" in text_of(page)

    def test_a_quarter_is_not_large(self, alice: User, quick_check: Questionnaire, words: Words) -> None:
        answers = {**FULLY, **dict.fromkeys(("QC-01", "QC-02", "QC-05"), NOT_FOR_US)}
        report = stored(evaluated(quick_check, alice.organisation, answers))

        for address in (report_of(report), panel_of(report), "/reports/"):
            assert "does not apply" not in words(address).split("Appendix")[0]

    def test_the_verdict_says_how_many_of_the_questions_count(
        self, alice: User, quick_check: Questionnaire, words: Words
    ) -> None:
        report = stored(evaluated(quick_check, alice.organisation, all_but("QC-01"), provisional=False))

        assert "1 of 12 scored questions counts; 11 were answered with “not applicable”." in words(report_of(report))
        assert "1 of 12 scored questions counts" in words(panel_of(report))

    def test_where_all_count_it_says_so(self, alice: User, quick_check: Questionnaire, words: Words) -> None:
        assert "All 12 scored questions count." in words(report_of(stored(evaluated(quick_check, alice.organisation))))

    @pytest.mark.parametrize("letter", ["F", "L", "P", "N"])
    def test_the_headline_is_borne_by_what_counts(
        self, alice: User, quick_check: Questionnaire, words: Words, letter: str
    ) -> None:
        answers = {**all_but("QC-01"), "QC-01": letter}
        report = stored(evaluated(quick_check, alice.organisation, answers, provisional=False))

        headline = ReportPage(report).headline

        assert headline.startswith("Most of what was asked does not count.")
        assert "protections" not in headline
        assert headline in words(report_of(report))

    @pytest.mark.parametrize("provisional", [False, True])
    def test_gates_that_do_not_count_are_counted(
        self, alice: User, quick_check: Questionnaire, words: Words, provisional: bool
    ) -> None:
        answers = {**FULLY, "QC-06": NOT_FOR_US, "QC-09": NOT_FOR_US}
        report = stored(evaluated(quick_check, alice.organisation, answers, provisional=provisional))

        assert ReportPage(report).headline == "What counts is in place; 2 essentials do not count."
        for address in (report_of(report), panel_of(report)):
            assert "2 essentials do not count: “not applicable” was answered: QC-06" in words(address)

    def test_so_are_gates_that_wait_for_an_answer(self, alice: User, quick_check: Questionnaire) -> None:
        report = stored(evaluated(quick_check, alice.organisation, {k: "F" for k in KEYS if k not in GATES}))

        assert ReportPage(report).headline == "So far, what counts is in place; 4 essentials are not answered yet."

    def test_a_gate_that_is_only_partly_in_place_is_no_protection_in_place(
        self, alice: User, quick_check: Questionnaire
    ) -> None:
        report = stored(evaluated(quick_check, alice.organisation, {**FULLY, "QC-06": "P"}, provisional=False))

        assert report.rating == "A"
        assert ReportPage(report).headline == "Nearly everything is in place; 1 essential is not fully in place."

    def test_all_in_place_may_say_so(self, alice: User, quick_check: Questionnaire) -> None:
        report = stored(evaluated(quick_check, alice.organisation, FULLY, provisional=False))

        assert ReportPage(report).headline == "The protections that matter most are in place."


def test_a_row_without_a_score_says_why(alice: User, quick_check: Questionnaire, words: Words) -> None:
    stored(evaluated(quick_check, alice.organisation, {"staff": "1"}))
    assert "no score yet: 0 of 12 answered" in words("/reports/")

    stored(evaluated(quick_check, alice.organisation, first(12, NOT_FOR_US), provisional=False))
    assert "no score: nothing applies" in words("/reports/")


def test_a_draft_to_which_nothing_applies_does_not_promise_a_score(
    alice: User, quick_check: Questionnaire, words: Words
) -> None:
    stored(evaluated(quick_check, alice.organisation, first(12, NOT_FOR_US)))

    assert "no score: nothing applies" in words("/reports/")
    assert "no score yet" not in words("/reports/")


def test_what_is_not_answered_yet_is_not_said_to_be_in_place(
    alice: User, quick_check: Questionnaire, words: Words
) -> None:
    report = stored(evaluated(quick_check, alice.organisation, {**first(6, NOT_FOR_US), "QC-01": "F"}))

    assert ReportPage(report).headline == (
        "So far, a large part of what was asked does not count. What counts is in place."
    )
    assert "The rest is in place" not in words(report_of(report))


def test_before_a_rating_nobody_is_told_that_nothing_is_left_to_improve(
    alice: User, quick_check: Questionnaire, words: Words
) -> None:
    early = stored(evaluated(quick_check, alice.organisation, first(5)))
    assert "nothing left to improve" not in words(report_of(early))

    later = stored(evaluated(quick_check, alice.organisation, first(6)))
    assert "There is nothing left to improve in what counts." in words(report_of(later))


def test_the_time_of_a_provisional_row_is_its_newest(
    alice: User, alice_client: Client, quick_check: Questionnaire
) -> None:
    report = stored(evaluated(quick_check, alice.organisation, first(1)))
    again = stored(evaluated(quick_check, alice.organisation, first(2), submission=report.submission, revision=2))
    assert again.updated_at > report.updated_at

    row = alice_client.get("/reports/").content.decode().split("data-live-rows")[1]

    assert again.updated_at.replace(microsecond=0).isoformat()[:19] in row


class TestInTheAdministration:
    @pytest.fixture
    def found(self, client: Client, admin_user: User) -> Callable[[str], list[str]]:
        """The reports that the administration's list shows for a query."""
        client.force_login(admin_user)

        def rows(query: str) -> list[str]:
            page = client.get(f"/admin/reports/report/?{query}").content.decode()
            return re.findall(r'<a href="/admin/reports/report/([0-9a-f-]{36})/change/', page)

        return rows

    def test_the_filter_by_rating_goes_by_the_rating_that_is_shown(
        self, alice: User, quick_check: Questionnaire, found: Callable[[str], list[str]]
    ) -> None:
        early = stored(evaluated(quick_check, alice.organisation, first(1)))
        shown = stored(evaluated(quick_check, alice.organisation, first(6)))
        final = stored(evaluated(quick_check, alice.organisation, FULLY, provisional=False))
        gone = stored(withdrawn(quick_check, alice.organisation, uuid4(), revision=1))

        assert set(found("rating=A")) == {str(shown.pk), str(final.pk)}
        assert found("rating=D") == []
        assert set(found("rating=none")) == {str(early.pk), str(gone.pk)}

    def test_the_filter_by_state_goes_by_the_state_that_is_shown(
        self, alice: User, quick_check: Questionnaire, found: Callable[[str], list[str]]
    ) -> None:
        reports = {
            "provisional": stored(evaluated(quick_check, alice.organisation, first(1))),
            "final": stored(evaluated(quick_check, alice.organisation, FULLY, provisional=False)),
            "withdrawn": stored(withdrawn(quick_check, alice.organisation, uuid4(), revision=1)),
        }

        for state, report in reports.items():
            assert found(f"state={state}") == [str(report.pk)]

    def test_no_filter_has_an_empty_entry_and_none_repeats_a_column_as_yes_and_no(
        self, alice: User, client: Client, admin_user: User, quick_check: Questionnaire
    ) -> None:
        stored(evaluated(quick_check, alice.organisation, {}))
        client.force_login(admin_user)

        page = client.get("/admin/reports/report/").content.decode().split('id="changelist-filter"')[1]

        assert not re.search(r'href="\?\w+="|<a href="[^"]*">\s*</a>', page)
        assert "provisional__exact" not in page
        assert "By withdrawn" not in text_of(page.encode())


def test_a_row_says_how_many_are_answered_as_long_as_not_all_are(
    alice: User, quick_check: Questionnaire, words: Words
) -> None:
    report = stored(evaluated(quick_check, alice.organisation, first(6)))

    assert report.rating_shown
    assert "6 of 12 answered" in words("/reports/")
