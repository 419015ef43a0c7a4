"""What colleagues and other tabs change: shown at once where nobody is at it, asked about where somebody is."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.answering.steps import (
    SAVED,
    answer_all,
    choose,
    conflict,
    field,
    kept,
    note,
    overview,
    question,
    radio,
    section,
    state,
)

pytestmark = [pytest.mark.browser, pytest.mark.process]


def test_what_nobody_edits_takes_a_colleagues_answer_and_says_whose(page: Page, bobs: Page) -> None:
    choose(page, "mfa", "P")
    expect(state(page, "mfa")).to_have_text(SAVED)
    expect(radio(bobs, "mfa", "P")).to_be_checked()
    choose(bobs, "mfa", "F")

    expect(radio(page, "mfa", "F")).to_be_checked()
    expect(state(page, "mfa")).to_have_text(re.compile(r"^Bob changed this answer, \d\d:\d\d UTC$"))


def test_a_note_and_an_answer_of_two_people_are_both_kept(page: Page, bobs: Page) -> None:
    page.route("**/answers/", lambda route: route.abort() if route.request.method == "GET" else route.fallback())
    choose(bobs, "mfa", "F")
    expect(state(bobs, "mfa")).to_have_text(SAVED)
    note(page, "mfa").fill("As agreed")
    expect(state(page, "mfa")).to_have_text(SAVED)

    page.reload()
    expect(radio(page, "mfa", "F")).to_be_checked()
    expect(note(page, "mfa")).to_have_value("As agreed")


def test_a_note_that_loses_is_shown_whole_and_stays_within_reach(page: Page, bobs: Page) -> None:
    page.route("**/answers/", lambda route: route.abort() if route.request.method == "GET" else route.fallback())
    note(bobs, "mfa").fill("https://example.org/" + "a" * 110)
    expect(state(bobs, "mfa")).to_have_text(SAVED)
    note(page, "mfa").fill("As Alice sees it")
    expect(conflict(page, "mfa")).to_contain_text("As Alice sees it")
    expect(conflict(page, "mfa")).to_contain_text("Bob changed the note on")
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    conflict(page, "mfa").get_by_role("button", name="Keep theirs").click()
    expect(kept(page, "mfa")).to_contain_text("Your note was: As Alice sees it")
    kept(page, "mfa").get_by_role("button", name="Put it back").click()

    expect(note(page, "mfa")).to_have_value("As Alice sees it")
    expect(state(page, "mfa")).to_have_text(SAVED)


def test_a_question_that_is_no_longer_asked_stays_while_somebody_types_there(page: Page, bobs: Page) -> None:
    page.goto(section(page, "about"))
    choose(page, "exposed", "yes")
    expect(state(page, "exposed")).to_have_text(SAVED)
    page.goto(section(page, "controls"))
    note(page, "wall").fill("The one in")
    field(page, "wall", "note").focus()
    bobs.goto(section(bobs, "about"))
    choose(bobs, "exposed", "no")

    expect(question(page, "wall")).to_contain_text("This is no longer asked because of an answer of Bob.")
    expect(field(page, "wall", "note")).to_be_focused()
    field(page, "mfa", "note").evaluate("note => { note.closest('details').open = true; }")
    expect(state(page, "wall")).to_have_text(SAVED)
    field(page, "mfa", "note").focus()
    expect(question(page, "wall")).to_be_hidden()


def test_a_second_tab_does_not_send_what_the_first_is_typing(page: Page) -> None:
    page.goto(section(page, "about"))
    field(page, "site").press_sequentially("exam", delay=20)
    other = page.context.new_page()
    other.goto(overview(page))
    other.wait_for_load_state("networkidle")
    field(page, "site").press_sequentially("ple.org", delay=20)
    expect(state(page, "site")).to_have_text(SAVED)

    expect(conflict(page, "site")).to_be_hidden()
    page.reload()
    expect(field(page, "site")).to_have_value("example.org")


def test_what_is_too_long_is_kept_and_said(page: Page) -> None:
    note(page, "mfa").fill("a" * 4_028)

    expect(state(page, "mfa")).to_have_text(
        "Not saved: 28 characters too many: shorten it to 4,000. Nothing is cut off."
    )
    expect(note(page, "mfa")).to_have_value("a" * 4_028)
    note(page, "mfa").fill("a" * 4_000)
    expect(state(page, "mfa")).to_have_text(SAVED)


def test_a_colleagues_number_is_shown_so_that_its_field_reads_it_back(page: Page, bobs: Page) -> None:
    for each in (page, bobs):
        each.goto(section(each, "about"))
    field(bobs, "people").fill("1.1250")
    expect(state(bobs, "people")).to_have_text(SAVED)
    expect(field(page, "people")).to_have_value("1.1250")

    field(page, "people").fill("1.1251")
    expect(state(page, "people")).to_have_text(SAVED)
    field(page, "people").fill("1.1250")
    expect(state(page, "people")).to_have_text(SAVED)


def test_a_conflict_is_announced_and_named(page: Page, bobs: Page) -> None:
    page.route("**/answers/", lambda route: route.abort() if route.request.method == "GET" else route.fallback())
    choose(bobs, "mfa", "F")
    expect(state(bobs, "mfa")).to_have_text(SAVED)
    choose(page, "mfa", "N")

    title = "Not saved: this was changed here and elsewhere. Choose which one counts."
    expect(question(page, "mfa").get_by_role("group", name=title)).to_be_visible()
    expect(question(page, "mfa").get_by_role("status")).to_have_text("Not saved: choose above which one counts.")
    expect(question(page, "mfa").get_by_role("button", name="Keep theirs")).to_be_visible()


def test_a_colleagues_submitting_is_told_before_anybody_presses(page: Page, bobs: Page) -> None:
    answer_all(bobs)
    bobs.goto(overview(bobs) + "review/")
    bobs.get_by_role("button", name="Submit").click()

    told = page.get_by_role("alert")
    expect(told).to_contain_text(re.compile(r"Bob submitted this on \d\d? \w{3} \d{4}, \d\d:\d\d UTC\."))
    expect(told.get_by_role("link", name="Open it in a new tab to reopen it")).to_be_visible()


def test_the_characters_that_are_left_are_counted_when_it_gets_near(page: Page) -> None:
    note(page, "mfa").fill("a" * 3_000)
    limit = page.locator("#limit-note-mfa")
    expect(limit).to_have_text("At most 4,000 characters.")

    note(page, "mfa").fill("a" * 3_990)
    expect(limit).to_have_text("At most 4,000 characters. 10 left.")
    note(page, "mfa").fill("a" * 10)
    expect(limit).to_have_text("At most 4,000 characters.")


def test_any_words_fit_the_page_and_run_in_their_own_direction(page: Page) -> None:
    hebrew = "אבג Microsoft 365 דהו"
    note(page, "mfa").fill(f"{hebrew}\n" + "https://example.org/" + "a" * 110)
    expect(state(page, "mfa")).to_have_text(SAVED)
    page.goto(section(page, "about"))
    field(page, "site").fill(hebrew + "x" * 150)
    expect(state(page, "site")).to_have_text(SAVED)
    question(page, "site").get_by_role("button", name="Clear answer").click()
    expect(kept(page, "site")).to_contain_text("You cleared:")
    for shown in (page.url, section(page, "controls"), overview(page), overview(page) + "review/"):
        page.goto(shown)
        page.set_viewport_size({"width": 320, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") == 320, shown
        by_hand = page.locator(".by-hand, [name='mfa:note']")
        directions = by_hand.evaluate_all("all => all.map((each) => getComputedStyle(each).direction)")
        assert set(directions) <= {"rtl"}, shown
