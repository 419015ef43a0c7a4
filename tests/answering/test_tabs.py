"""One person with several tabs: nothing that was typed is lost, and each tab says what another one did."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.answering.steps import (
    SAVED,
    choose,
    conflict,
    field,
    kept,
    note,
    overview,
    question,
    radio,
    refuse_saves,
    section,
    state,
)
from tests.conftest import Person
from tests.second_factor import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.process]


@pytest.fixture(params=["by locks", "by messages"])
def telling(request: pytest.FixtureRequest, page: Page) -> None:
    """How tabs know of each other. A page that came by plain http has no locks."""
    if request.param == "by messages":
        page.context.add_init_script("delete Navigator.prototype.locks")
        page.reload()


@pytest.fixture
def other(page: Page) -> Page:
    """The same page in another tab of the same browser, which does not hear of what the first one does."""
    other = page.context.new_page()
    other.goto(page.url)
    other.route("**/answers/", lambda route: route.abort() if route.request.method == "GET" else route.fallback())
    return other


@pytest.mark.parametrize("choice", ["Use this one", "Keep the other tab's"])
def test_two_tabs_that_type_the_same_note_lose_neither(page: Page, other: Page, choice: str) -> None:
    note(page, "mfa").fill("Typed in the first")
    expect(state(page, "mfa")).to_have_text(SAVED)
    note(other, "mfa").fill("Typed in the second")
    expect(conflict(other, "mfa")).to_contain_text("You changed the note in another tab on")
    expect(conflict(other, "mfa")).to_contain_text("Typed in the first")
    expect(conflict(other, "mfa")).to_contain_text("Typed in the second")
    conflict(other, "mfa").get_by_role("button", name=choice).click()
    expect(conflict(other, "mfa")).to_be_hidden()

    wins, loses = ("second", "first") if choice == "Use this one" else ("first", "second")
    said = "In another tab you gave" if loses == "first" else "Your note was"
    expect(note(page, "mfa")).to_have_value(f"Typed in the {wins}")
    expect(kept(other, "mfa")).to_contain_text(f"{said}: Typed in the {loses}")


def test_two_tabs_that_give_the_same_answer_differently_ask_which_counts(page: Page, other: Page) -> None:
    for each in (page, other):
        each.goto(section(each, "about"))
    field(page, "site").fill("one.example.org")
    expect(state(page, "site")).to_have_text(SAVED)
    field(other, "site").fill("two.example.org")
    expect(conflict(other, "site")).to_contain_text("You changed the answer in another tab on")
    conflict(other, "site").get_by_role("button", name="Use this one").click()

    expect(kept(other, "site")).to_contain_text("In another tab you gave: one.example.org")
    expect(field(page, "site")).to_have_value("two.example.org")


def test_a_tab_takes_what_another_one_saved_and_says_that_it_was_you(page: Page) -> None:
    other = page.context.new_page()
    other.goto(page.url)
    choose(other, "mfa", "F")

    expect(radio(page, "mfa", "F")).to_be_checked()
    expect(state(page, "mfa")).to_have_text(re.compile(r"^You changed this answer in another tab, \d\d:\d\d UTC$"))


@pytest.mark.parametrize("end", ["closed", "elsewhere"])
def test_what_a_tab_had_not_saved_when_it_ended_is_saved_by_another(page: Page, telling: None, end: str) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(section(page, "about"))
    address = page.url
    refuse_saves(page)
    field(page, "site").fill("example.org")
    expect(state(page, "site")).to_have_text("Not saved, retrying")
    other = page.context.new_page()
    other.goto(overview(page))
    waiting = other.locator("[data-autosave-banner]")
    expect(waiting).to_contain_text("An answer that you gave on another page is not saved yet:")
    other.wait_for_timeout(1_500)
    expect(waiting).to_be_visible()  # it is the first tab's as long as that is open

    if end == "closed":
        page.close()
    else:
        page.goto("about:blank")
    expect(waiting).to_be_hidden()
    other.goto(address)
    expect(field(other, "site")).to_have_value("example.org")


def test_a_page_goes_on_with_what_a_closed_tab_of_the_same_page_had_not_saved(page: Page, telling: None) -> None:
    refuse_saves(page)
    note(page, "mfa").fill("Typed before the tab was closed")
    expect(state(page, "mfa")).to_have_text("Not saved, retrying")
    other = page.context.new_page()
    other.goto(page.url)
    page.close()

    expect(note(other, "mfa")).to_have_value("Typed before the tab was closed")
    expect(state(other, "mfa")).to_have_text(SAVED)


def come_back(page: Page) -> None:
    """What the browser tells a page when a person comes back to its tab; without a window all tabs are in front."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_signed_out_in_another_tab_a_page_says_so_and_comes_back(page: Page, alice: Person) -> None:
    expect(page.locator("[data-live-status]").first).to_have_text("Live")
    other = page.context.new_page()
    other.goto(overview(page))
    other.get_by_role("button", name="Account").click()
    other.locator("#account-menu").get_by_role("button", name="Sign out").click()

    come_back(page)
    standing = page.locator("[data-draft-standing]")
    expect(standing).to_contain_text("You are signed out. Sign in in another tab: nothing is lost.")
    expect(page.locator("[data-live-signed-out]").first).to_be_visible()
    choose(page, "mfa", "L")
    expect(state(page, "mfa")).to_contain_text("Not saved: You are signed out.")
    sign_in(other, alice)
    come_back(page)
    expect(state(page, "mfa")).to_have_text(SAVED)
    expect(standing).to_be_hidden()
    expect(page.locator("[data-live-signed-out]").first).to_be_hidden()
    expect(question(page, "mfa").locator("input:checked")).to_have_value("L")
