"""A provisional report that somebody reads while a colleague answers: it stays in place, and so does what is held."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.test_live_clicks import alices, bobs, is_live, let_it_arrive, panel, tab
from tests.walking import choose

__all__ = ["alices", "bobs", "tab"]

pytestmark = [pytest.mark.browser, pytest.mark.process]

SELECTED = "document.getSelection().toString()"
FETCHED = r"/reports/[0-9a-f-]{36}/$"


@pytest.fixture
def report(alices: Page, bobs: Page) -> Page:
    """The provisional report of two answers; Bob has a page of its questions open."""
    choose(alices, "QC-02", "P")
    expect(panel(alices)).to_contain_text("2 of 12 scored questions answered")
    panel(alices).get_by_role("link", name="Read the whole report so far").click()
    is_live(alices)
    return alices


def select(page: Page, place: str) -> str:
    """Select the words of an element as a triple click would."""
    page.locator(place).first.scroll_into_view_if_needed()
    page.locator(place).first.evaluate("element => document.getSelection().selectAllChildren(element)")
    selected: str = page.evaluate(SELECTED)
    assert selected
    return selected


def answer(bobs: Page, question: str, value: str) -> Callable[[], None]:
    return lambda: choose(bobs, question, value)


def test_a_selection_is_kept_and_what_is_newer_is_offered(report: Page, bobs: Page) -> None:
    selected = select(report, "#method p")
    let_it_arrive(report, FETCHED, answer(bobs, "QC-03", "N"))

    offer = report.get_by_role("status").filter(has_text="This report has changed since.")
    expect(offer).to_be_visible()
    assert report.evaluate(SELECTED) == selected
    expect(report.get_by_text("2 of 12 scored questions answered.")).to_have_count(1)

    offer.get_by_role("button", name="Show the newest").click()
    expect(report.get_by_text("3 of 12 scored questions answered.")).to_have_count(1)
    expect(offer).to_be_hidden()


def test_what_is_newer_appears_by_itself_once_nothing_is_selected(report: Page, bobs: Page) -> None:
    select(report, "#method p")
    let_it_arrive(report, FETCHED, answer(bobs, "QC-03", "N"))
    expect(report.get_by_text("This report has changed since.")).to_be_visible()

    report.evaluate("document.getSelection().removeAllRanges()")

    expect(report.get_by_text("3 of 12 scored questions answered.")).to_have_count(1)
    expect(report.get_by_text("This report has changed since.")).to_be_hidden()


@pytest.mark.parametrize("place", ["#method", "#answer-qc-02", "#action-qc-02"])
@pytest.mark.parametrize("width", [360, 1280])
def test_what_is_read_stays_in_its_place(report: Page, bobs: Page, place: str, width: int) -> None:
    report.set_viewport_size({"width": width, "height": 720})
    report.locator(place).evaluate("element => window.scrollBy(0, element.getBoundingClientRect().top - 40)")
    before = report.locator(place).bounding_box()

    choose(bobs, "QC-03", "N")
    expect(report.get_by_text("3 of 12 scored questions answered.")).to_have_count(1)

    after = report.locator(place).bounding_box()
    assert before
    assert after
    assert abs(after["y"] - before["y"]) < 2


def test_what_was_opened_stays_open(report: Page, bobs: Page) -> None:
    report.locator("#how-qc-02 > summary").click()
    report.locator("#workings > summary").click()

    choose(bobs, "QC-03", "N")

    expect(report.get_by_text("3 of 12 scored questions answered.")).to_have_count(1)
    expect(report.locator("#how-qc-02[open]")).to_have_count(1)
    expect(report.locator("#workings[open]")).to_have_count(1)
    expect(report.locator("#how-qc-03[open]")).to_have_count(0)


def test_the_title_names_questionnaire_organisation_and_date(report: Page) -> None:
    assert re.fullmatch(r"Security quick check.*, .+, \d+ \w{3} \d{4} · Plumbline", report.title())
