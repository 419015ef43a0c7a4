"""Keys and buttons change only what was meant, and what was cleared or replaced comes back."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.answering.steps import (
    CLEARED,
    SAVED,
    choose,
    field,
    kept,
    note,
    overview,
    question,
    radio,
    saves,
    section,
    state,
    values,
)
from tests.conftest import Person, Server

pytestmark = [pytest.mark.browser, pytest.mark.process]


def stop_the_clock(page: Page) -> None:
    """Time passes only by `page.clock.run_for`."""
    page.clock.install()
    page.clock.pause_at(datetime.now() + timedelta(hours=1))


def test_moving_through_the_choices_with_arrow_keys_stores_only_where_it_rests(page: Page) -> None:
    stop_the_clock(page)
    sent = saves(page)
    radio(page, "mfa", "N").focus()
    page.keyboard.press("Space")
    page.clock.run_for(1)
    expect(state(page, "mfa")).to_have_text(SAVED)
    for _ in range(3):
        page.keyboard.press("ArrowDown")
        page.clock.run_for(700)
    assert values(sent) == ["N"]
    page.clock.run_for(200)

    expect(state(page, "mfa")).to_have_text(SAVED)
    assert values(sent) == ["N", "F"]


def test_arrow_keys_go_round_through_answers_alone(page: Page) -> None:
    radio(page, "mfa", "N").focus()
    page.keyboard.press("Space")
    passed = []
    for _ in range(6):
        page.keyboard.press("ArrowDown")
        passed.append(page.evaluate("document.activeElement.value"))

    assert passed == ["P", "L", "F", "dont_know", "not_applicable", "N"]
    expect(question(page, "mfa").locator("input:checked")).to_have_value("N")


def test_leaving_the_choices_stores_the_last_one_at_once(page: Page) -> None:
    stop_the_clock(page)
    sent = saves(page)
    radio(page, "mfa", "N").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    with page.expect_request("**/answers/"):
        page.keyboard.press("Tab")

    expect(state(page, "mfa")).to_have_text(SAVED)
    assert values(sent) == ["L"]


def test_an_answer_on_its_way_does_not_take_along_what_the_keys_are_passing(page: Page) -> None:
    stop_the_clock(page)
    sent = saves(page)
    radio(page, "mfa", "N").focus()
    page.keyboard.press("Space")
    page.clock.run_for(1)
    page.keyboard.press("ArrowDown")
    page.clock.run_for(500)
    page.wait_for_load_state("networkidle")
    page.keyboard.press("ArrowDown")
    page.clock.run_for(1_000)

    expect(state(page, "mfa")).to_have_text(SAVED)
    assert values(sent) == ["N", "L"]


def test_a_connection_that_comes_back_does_not_take_along_what_the_keys_are_passing(page: Page) -> None:
    stop_the_clock(page)
    sent = saves(page)
    radio(page, "mfa", "N").focus()
    page.keyboard.press("ArrowDown")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    page.keyboard.press("ArrowDown")
    page.clock.run_for(1_000)

    expect(state(page, "mfa")).to_have_text(SAVED)
    assert values(sent) == ["L"]


def test_a_click_stores_at_once(page: Page) -> None:
    stop_the_clock(page)
    with page.expect_request("**/answers/"):
        choose(page, "mfa", "F")
        page.clock.run_for(1)


@pytest.mark.parametrize("undone", [False, True])
def test_clearing_is_a_button_that_says_so_and_can_be_undone(page: Page, undone: bool) -> None:
    choose(page, "mfa", "not_applicable")
    field(page, "mfa", "reason").fill("No accounts")
    expect(state(page, "mfa")).to_have_text(SAVED)
    question(page, "mfa").get_by_role("button", name="Clear answer").click()
    expect(state(page, "mfa")).to_have_text(CLEARED)
    undo = kept(page, "mfa").get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    expect(kept(page, "mfa")).to_contain_text("You cleared: Not applicable: No accounts")
    if undone:
        undo.click()
        expect(state(page, "mfa")).to_have_text(SAVED)
        expect(kept(page, "mfa")).to_be_hidden()

    page.reload()
    checked = question(page, "mfa").locator("input:checked")
    if undone:
        expect(checked).to_have_value("not_applicable")
        expect(field(page, "mfa", "reason")).to_have_value("No accounts")
    else:
        expect(checked).to_have_count(0)
        expect(kept(page, "mfa").get_by_role("button", name="Undo")).to_be_visible()


def test_after_clearing_the_keyboard_is_at_its_undo_and_not_at_what_is_kept_from_before(page: Page) -> None:
    choose(page, "mfa", "not_applicable")
    field(page, "mfa", "reason").fill("No accounts")
    expect(state(page, "mfa")).to_have_text(SAVED)
    choose(page, "mfa", "P")
    expect(state(page, "mfa")).to_have_text(SAVED)

    question(page, "mfa").get_by_role("button", name="Clear answer").press("Enter")
    expect(state(page, "mfa")).to_have_text(CLEARED)
    expect(kept(page, "mfa")).to_contain_text("No accounts")
    expect(kept(page, "mfa").get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")

    expect(state(page, "mfa")).to_have_text(SAVED)
    expect(radio(page, "mfa", "P")).to_be_checked()


def test_not_applicable_without_a_reason_leaves_nothing_to_put_back(page: Page) -> None:
    radio(page, "mfa", "dont_know").focus()
    page.keyboard.press("ArrowDown")
    expect(radio(page, "mfa", "not_applicable")).to_be_focused()
    page.keyboard.press("ArrowUp")

    expect(state(page, "mfa")).to_have_text(SAVED)
    expect(kept(page, "mfa")).to_be_hidden()


def test_the_note_stays_when_the_answer_is_cleared(page: Page) -> None:
    choose(page, "mfa", "L")
    note(page, "mfa").fill("See the list")
    expect(state(page, "mfa")).to_have_text(SAVED)
    question(page, "mfa").get_by_role("button", name="Clear answer").click()
    expect(state(page, "mfa")).to_have_text(CLEARED)

    page.reload()
    expect(note(page, "mfa")).to_have_value("See the list")


@pytest.mark.parametrize(("name", "written"), [("site", "example.org"), ("people", "12"), ("since", "2026-05-31")])
def test_what_is_written_can_be_cleared_and_put_back(page: Page, name: str, written: str) -> None:
    page.goto(section(page, "about"))
    field(page, name).fill(written)
    expect(state(page, name)).to_have_text(SAVED)
    question(page, name).get_by_role("button", name="Clear answer").click()
    expect(state(page, name)).to_have_text(CLEARED)
    expect(field(page, name)).to_have_value("")
    kept(page, name).get_by_role("button", name="Undo").click()
    expect(state(page, name)).to_have_text(SAVED)

    page.reload()
    expect(field(page, name)).to_have_value(written)


def test_dont_know_in_the_place_of_a_text_keeps_the_text_within_reach(page: Page) -> None:
    page.goto(section(page, "about"))
    field(page, "site").fill("example.org")
    expect(state(page, "site")).to_have_text(SAVED)
    radio(page, "site", "dont_know").check()
    expect(kept(page, "site")).to_contain_text("No longer part of your answer: example.org")
    expect(state(page, "site")).to_have_text(SAVED)
    page.reload()
    expect(radio(page, "site", "dont_know")).to_be_checked()
    kept(page, "site").get_by_role("button", name="Put it back").click()
    expect(state(page, "site")).to_have_text(SAVED)

    page.reload()
    expect(field(page, "site")).to_have_value("example.org")
    expect(kept(page, "site")).to_be_hidden()


def test_a_reason_stays_within_reach_when_another_answer_takes_its_place(page: Page) -> None:
    choose(page, "mfa", "not_applicable")
    field(page, "mfa", "reason").fill("No accounts")
    expect(state(page, "mfa")).to_have_text(SAVED)
    choose(page, "mfa", "L")
    expect(kept(page, "mfa")).to_contain_text("No longer part of your answer: Not applicable: No accounts")
    expect(state(page, "mfa")).to_have_text(SAVED)
    page.reload()
    kept(page, "mfa").get_by_role("button", name="Put it back").click()

    expect(radio(page, "mfa", "not_applicable")).to_be_checked()
    expect(field(page, "mfa", "reason")).to_have_value("No accounts")
    expect(state(page, "mfa")).to_have_text(SAVED)


def test_without_javascript_an_answer_is_cleared_by_a_box_and_nothing_else(
    page: Page, small_server: Server, browser: Browser, alice: Person
) -> None:
    choose(page, "mfa", "L")
    note(page, "mfa").fill("See the list")
    expect(state(page, "mfa")).to_have_text(SAVED)
    context = browser.new_context(base_url=small_server.url, java_script_enabled=False)
    alice.sign_in(context)
    plain = context.new_page()
    plain.goto(page.url)
    expect(question(plain, "mfa").locator("input[type=radio]")).to_have_count(6)
    question(plain, "mfa").get_by_label("Clear this answer when I save").check()
    plain.get_by_role("button", name="Save and continue").click()
    expect(plain).to_have_url(re.compile("/review/$"))
    context.close()

    page.goto(overview(page) + "sections/controls/")
    expect(question(page, "mfa").locator("input:checked")).to_have_count(0)
    expect(note(page, "mfa")).to_have_value("See the list")


def test_the_letters_of_dont_know_that_are_typed_stay_a_text(page: Page) -> None:
    page.goto(section(page, "about"))
    field(page, "site").fill("dont_know")
    expect(state(page, "site")).to_have_text(SAVED)

    page.reload()
    expect(field(page, "site")).to_have_value("dont_know")
    expect(radio(page, "site", "dont_know")).not_to_be_checked()
