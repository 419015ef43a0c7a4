"""A list of reports that is open while reports come and go shows what a reload would show, around its rows, too."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.conftest import Person, Server
from tests.walking import GOLDEN, answer_everything, choose, start_quick_check

pytestmark = [pytest.mark.browser, pytest.mark.process]

ANSWERS = GOLDEN | {"exposed": "no", "provider": "no"}
MAKE_REPORTS = """
import json
from uuid import uuid4
from accounts.models import Organisation
from contracts.lines import first_line
from questionnaires import library
from reports.models import Feed, Report
from security.scoring import ENGINE, evaluate

given = json.loads({given!r})
organisation = Organisation.objects.get(name=given["organisation"])
questionnaire = library.current("quick-check")
document = evaluate(questionnaire, given["answers"]).to_document()
for _ in range(given["count"]):
    Report.objects.create(
        organisation=organisation,
        submission=uuid4(),
        line=first_line(organisation.pk, given["slug"]),
        questionnaire_slug=given["slug"],
        questionnaire_version=questionnaire.version,
        questionnaire_digest=questionnaire.digest,
        questionnaire_title=given["title"],
        revision=1,
        provisional=False,
        engine=ENGINE,
        values={{key: {{"value": value, "note": ""}} for key, value in given["answers"].items()}},
        evaluation=document,
        rating=document["rating"],
        score=document["score"],
        score_high=document["score_high"],
        position=Feed.objects.advance(organisation.pk),
        event_id=uuid4(),
    )
"""
Finals = Callable[..., None]
ROWS = ".report-row"
PAGER = re.compile(r"Page \d+ of \d+")


@pytest.fixture
def organisation() -> str:
    return f"Acme {uuid4().hex}"


@pytest.fixture
def alice(server: Server, context: BrowserContext, organisation: str) -> Person:
    person = server.person(f"alice-{uuid4().hex}@example.org", organisation)
    person.sign_in(context)
    return person


@pytest.fixture
def finals(server: Server, alice: Person, organisation: str) -> Finals:
    """Gives the organisation so many final reports."""

    def make(count: int, slug: str = "quick-check", title: str = "Security quick check") -> None:
        given = {"organisation": organisation, "count": count, "answers": GOLDEN, "slug": slug, "title": title}
        result = server.manage("shell", "--no-imports", "-c", MAKE_REPORTS.format(given=json.dumps(given)))
        assert result.returncode == 0, result.stderr

    return make


def open_list(context: BrowserContext, query: str = "") -> Page:
    page = context.new_page()
    page.goto(f"/reports/{query}")
    expect(page.locator("[data-live-status]").first).to_have_text("Live")
    page.wait_for_load_state("networkidle")
    return page


def answer_something(page: Page) -> None:
    start_quick_check(page)
    page.goto(re.sub(r"/sections/.*", "/sections/overview/", page.url))
    choose(page, "QC-01", "F")


def is_what_a_reload_shows(page: Page) -> None:
    """Compare what is seen of filter, rows and pager with the page loaded once more."""
    seen = page.locator("[data-live-list]").inner_text()
    fresh = page.context.new_page()
    fresh.goto(page.url)
    assert seen == fresh.locator("[data-live-list]").inner_text()
    fresh.close()


def test_the_51st_report_brings_the_pager(finals: Finals, page: Page, context: BrowserContext) -> None:
    finals(50)
    reports = open_list(context)
    expect(reports.locator(ROWS)).to_have_count(50)
    expect(reports.get_by_text(PAGER)).to_have_count(0)

    answer_something(page)

    expect(reports.get_by_text("Page 1 of 2")).to_be_visible()
    expect(reports.locator(ROWS)).to_have_count(50)
    expect(reports.locator(ROWS).first).to_contain_text("1 of 12 answered")
    is_what_a_reload_shows(reports)
    reports.get_by_role("link", name="Older reports").click()
    expect(reports.locator(ROWS)).to_have_count(1)


def test_the_second_page_moves_on_as_a_reload_would(finals: Finals, page: Page, context: BrowserContext) -> None:
    finals(100)
    reports = open_list(context, "?page=2")
    before = [row.get_attribute("data-report") for row in reports.locator(ROWS).all()]

    answer_something(page)

    expect(reports.get_by_text("Page 2 of 3")).to_be_visible()
    after = [row.get_attribute("data-report") for row in reports.locator(ROWS).all()]
    assert after[1:] == before[:-1]
    is_what_a_reload_shows(reports)


def test_a_page_beyond_the_last_one_is_the_last_one(finals: Finals, page: Page, context: BrowserContext) -> None:
    finals(50)
    reports = open_list(context, "?page=99")
    expect(reports.locator(ROWS)).to_have_count(50)

    answer_something(page)

    expect(reports.get_by_text("Page 1 of 2")).to_be_visible()


def test_a_row_that_leaves_the_filter_leaves_the_list_and_says_so(alice: Person, context: BrowserContext) -> None:
    page = context.new_page()
    answer_something(page)
    provisional = open_list(context, "?state=provisional")
    final = open_list(context, "?state=final")
    expect(provisional.locator(ROWS)).to_have_count(1)
    expect(final.get_by_role("heading", name="No report fits this filter")).to_be_visible()

    page.goto(re.sub(r"/sections/.*", "/sections/about-you/", page.url))
    answer_everything(page, ANSWERS)
    page.get_by_role("button", name="Submit").click()

    expect(provisional.get_by_role("heading", name="No report fits this filter")).to_be_visible()
    expect(provisional.locator(ROWS)).to_have_count(0)
    expect(final.locator(ROWS)).to_have_count(1)
    expect(final.get_by_role("heading", name="No report fits this filter")).to_be_hidden()
    is_what_a_reload_shows(provisional)
    is_what_a_reload_shows(final)


def test_the_first_report_brings_the_filter(alice: Person, page: Page, context: BrowserContext) -> None:
    reports = open_list(context)
    expect(reports.get_by_role("heading", name="No reports yet")).to_be_visible()
    expect(reports.get_by_role("combobox", name="Questionnaire")).to_have_count(0)

    answer_something(page)

    expect(reports.get_by_role("combobox", name="Questionnaire")).to_be_visible()
    is_what_a_reload_shows(reports)


def test_a_questionnaire_that_is_new_to_the_list_can_be_filtered_by_and_a_choice_stays(
    finals: Finals, page: Page, context: BrowserContext
) -> None:
    finals(1, "other", "Another questionnaire")
    reports = open_list(context)
    questionnaire = reports.get_by_role("combobox", name="Questionnaire")
    expect(questionnaire.locator("option")).to_have_count(2)
    questionnaire.select_option("other")
    reports.get_by_label("State").focus()

    answer_something(page)

    expect(questionnaire.locator("option")).to_have_count(3)
    expect(questionnaire).to_have_value("other")
    expect(reports.get_by_label("State")).to_be_focused()


def test_a_row_that_is_focused_stays_focused_while_others_come(
    finals: Finals, page: Page, context: BrowserContext
) -> None:
    finals(3)
    reports = open_list(context)
    link = reports.locator(ROWS).nth(1).get_by_role("link")
    address = link.get_attribute("href")
    link.focus()

    answer_something(page)

    expect(reports.locator(ROWS)).to_have_count(4)
    expect(reports.locator(f'a[href="{address}"]')).to_be_focused()
