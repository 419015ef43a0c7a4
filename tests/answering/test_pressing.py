"""Whoever presses a button is answered within a second: the page goes on, or says why not and puts the focus there."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.answering.steps import (
    SAVED,
    answer_all,
    choose,
    conflict,
    field,
    hold_saves,
    note,
    overview,
    pressed,
    question,
    refuse_saves,
    section,
    state,
)
from tests.conftest import Person

pytestmark = [pytest.mark.browser, pytest.mark.process]

BUTTONS = {
    "Save and continue": re.compile("/review/$"),
    "Save and go to the overview": re.compile(r"/submissions/[^/]+/$"),
}
Press = Callable[[], None]


@pytest.fixture(params=list(BUTTONS))
def button(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def press(page: Page, button: str) -> Press:
    """Presses the button; a second later, by the page's own clock, the answer has to be there."""

    def act() -> None:
        page.clock.install()
        page.get_by_role("button", name=button).click(no_wait_after=True)
        page.clock.run_for(1_000)

    return act


def test_with_nothing_to_save_the_page_goes_on(page: Page, press: Press, button: str) -> None:
    press()

    expect(page).to_have_url(BUTTONS[button])


def test_with_an_answer_just_given_it_is_saved_and_the_page_goes_on(page: Page, press: Press, button: str) -> None:
    choose(page, "mfa", "L")
    press()

    expect(page).to_have_url(BUTTONS[button])
    page.goto(section(page, "controls") if "sections" in page.url else overview(page) + "sections/controls/")
    expect(question(page, "mfa").locator("input:checked")).to_have_value("L")


def test_a_missing_reason_is_asked_for_where_it_is_missing(page: Page, press: Press, button: str) -> None:
    choose(page, "mfa", "not_applicable")
    press()

    expect(field(page, "mfa", "reason")).to_be_focused()
    expect(state(page, "mfa")).to_have_text("Not saved yet: say why it does not apply.")
    expect(pressed(page)).to_have_text("Not yet: Is there MFA? Not saved yet: say why it does not apply.")

    field(page, "mfa", "reason").fill("No accounts")
    page.get_by_role("button", name=button).click()
    expect(page).to_have_url(BUTTONS[button])


def test_an_open_conflict_gets_the_focus(page: Page, press: Press, button: str, bobs: Page) -> None:
    refuse_saves(page)
    choose(page, "mfa", "P")
    choose(bobs, "mfa", "F")
    expect(state(bobs, "mfa")).to_have_text(SAVED)
    page.unroute("**/answers/")
    expect(conflict(page, "mfa")).to_be_visible()
    press()

    expect(conflict(page, "mfa")).to_be_focused()
    expect(pressed(page)).to_contain_text("Is there MFA? Not saved: choose above which one counts")
    conflict(page, "mfa").get_by_role("button", name="Keep theirs").click()
    page.get_by_role("button", name=button).click()
    expect(page).to_have_url(BUTTONS[button])


def test_a_refused_answer_gets_the_focus(page: Page) -> None:
    page.goto(section(page, "about"))
    field(page, "people").fill("many")
    page.get_by_role("button", name="Save and continue").click()

    expect(field(page, "people")).to_be_focused()
    expect(pressed(page)).to_contain_text("How many people? Not saved: Enter a number, for example 12 or 2.5.")


def test_without_a_connection_it_stays_says_so_and_goes_on_later(page: Page, press: Press, button: str) -> None:
    choose(page, "backup", "L")
    expect(state(page, "backup")).to_have_text(SAVED)
    page.context.set_offline(True)
    choose(page, "mfa", "L")
    press()

    expect(pressed(page)).to_contain_text("You are offline. Your answers are kept in this browser.")
    expect(pressed(page)).to_be_focused()
    page.context.set_offline(False)
    page.clock.run_for(60_000)
    expect(page).to_have_url(BUTTONS[button])


def test_without_a_connection_and_with_nothing_to_save_it_stays_too(page: Page, press: Press, button: str) -> None:
    page.context.set_offline(True)
    press()

    expect(pressed(page)).to_contain_text("You are offline.")
    page.context.set_offline(False)
    page.clock.run_for(60_000)
    expect(page).to_have_url(BUTTONS[button])


def test_while_the_server_does_not_answer_it_says_what_it_waits_for(page: Page, press: Press, button: str) -> None:
    let_go = hold_saves(page)
    choose(page, "mfa", "L")
    press()

    expect(pressed(page)).to_have_text(
        "Waiting for the server. The page goes on by itself when your answers are saved."
    )
    expect(pressed(page)).to_be_focused()
    let_go()
    expect(page).to_have_url(BUTTONS[button])


def test_while_the_server_is_gone_it_does_not_say_that_the_connection_is(page: Page, press: Press, button: str) -> None:
    page.route("**/answers/", lambda route: route.abort("connectionrefused"))
    choose(page, "mfa", "L")
    press()

    expect(pressed(page)).to_contain_text("The server can't be reached. Your answers are kept in this browser.")
    page.unroute("**/answers/")
    page.clock.run_for(60_000)
    expect(page).to_have_url(BUTTONS[button])


def test_while_the_server_refuses_it_says_so_and_goes_on_later(page: Page, press: Press, button: str) -> None:
    refuse_saves(page)
    choose(page, "mfa", "L")
    press()

    expect(pressed(page)).to_contain_text("The page goes on by itself when this is over.")
    page.unroute("**/answers/")
    page.clock.run_for(60_000)
    expect(page).to_have_url(BUTTONS[button])


def test_signed_out_it_stays_and_goes_on_after_signing_in_again(
    page: Page, press: Press, button: str, alice: Person
) -> None:
    page.context.clear_cookies(name="sessionid")
    choose(page, "mfa", "L")
    press()

    expect(pressed(page)).to_contain_text("You are signed out. Sign in in another tab: nothing is lost.")
    expect(question(page, "mfa")).to_be_focused()
    expect(page.get_by_role("alert").get_by_role("link", name="Sign in in a new tab")).to_be_visible()
    alice.sign_in(page.context)
    page.clock.run_for(60_000)
    expect(page).to_have_url(BUTTONS[button])


def test_with_somebody_else_signed_in_it_stays(page: Page, press: Press, bob: Person) -> None:
    bob.sign_in(page.context)
    choose(page, "mfa", "L")
    press()

    expect(pressed(page)).to_contain_text("Somebody else is signed in in this browser now.")
    expect(question(page, "mfa")).to_be_focused()


def test_who_goes_on_typing_after_a_press_is_not_taken_away(page: Page, press: Press) -> None:
    let_go = hold_saves(page)
    choose(page, "mfa", "L")
    press()
    expect(pressed(page)).to_be_visible()
    note(page, "mfa").fill("One more thing")
    let_go()
    page.clock.run_for(5_000)

    expect(state(page, "mfa")).to_have_text(SAVED)
    expect(page).to_have_url(re.compile("/sections/controls/$"))
    expect(pressed(page)).to_be_hidden()


def test_a_page_with_a_missing_reason_still_warns_who_closes_it_after_a_press(page: Page, press: Press) -> None:
    warned: list[str] = []
    choose(page, "mfa", "not_applicable")
    press()
    expect(field(page, "mfa", "reason")).to_be_focused()

    def accept(dialog: Dialog) -> None:
        warned.append(dialog.type)
        dialog.accept()

    page.once("dialog", accept)
    page.goto("about:blank")

    assert warned == ["beforeunload"]


def test_submitting_waits_for_an_answer_of_another_page_and_says_so(page: Page) -> None:
    answer_all(page)
    page.on("dialog", lambda dialog: dialog.accept())
    refuse_saves(page)
    field(page, "site").fill("example.org")
    expect(state(page, "site")).to_have_text("Not saved, retrying")
    page.goto(overview(page) + "review/")
    page.get_by_role("button", name="Submit").click()

    expect(pressed(page)).to_contain_text("The page goes on by itself when this is over.")
    expect(pressed(page)).to_be_focused()
    asked_for: list[str] = []
    page.on("request", lambda request: asked_for.append(request.url) if request.is_navigation_request() else None)
    page.unroute("**/answers/")
    expect(page).to_have_url(re.compile("/reports/"))
    assert [address for address in asked_for if address.endswith("/review/")] == []


def test_a_press_that_waits_is_kept_when_a_colleague_changes_the_review(page: Page, bobs: Page) -> None:
    answer_all(page)
    page.on("dialog", lambda dialog: dialog.accept())
    refuse_saves(page)
    field(page, "site").fill("example.org")
    expect(state(page, "site")).to_have_text("Not saved, retrying")
    page.goto(overview(page) + "review/")
    page.get_by_role("button", name="Submit").click()
    expect(pressed(page)).to_be_focused()
    choose(bobs, "mfa", "F")

    expect(page.get_by_text("Fully")).to_be_visible()
    expect(pressed(page)).to_contain_text("The page goes on by itself when this is over.")
    expect(pressed(page)).to_be_focused()
    page.unroute("**/answers/")
    expect(page).to_have_url(re.compile("/reports/"))
