"""Each answer saves itself, and nothing is lost in silence: in Chromium, against a real server."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import (
    APIResponse,
    Dialog,
    Page,
    Route,
    expect,
)

from tests.answering.steps import SAVED, OpenTab, choose, hold_scripts, is_save, note, question, state
from tests.conftest import Person

pytestmark = [pytest.mark.browser, pytest.mark.process]


def hear_nothing(page: Page) -> None:
    """What colleagues change does not reach this page."""
    page.route("**/answers/", lambda route: route.abort() if route.request.method == "GET" else route.fallback())


def is_chosen(page: Page, name: str, value: str) -> None:
    expect(question(page, name).locator(f'input[value="{value}"]')).to_be_checked()


def test_an_answer_saves_itself_and_is_there_after_a_reload(page: Page) -> None:
    choose(page, "mfa", "L")
    expect(state(page, "mfa")).to_have_text(SAVED)
    expect(page.locator("[data-progress-text]")).to_have_text("1 of 4 answered, about 7 minutes left")

    page.reload()
    is_chosen(page, "mfa", "L")


def test_what_is_answered_before_the_scripts_are_there_is_saved_as_soon_as_they_are(page: Page) -> None:
    page.wait_for_load_state()
    let_go = hold_scripts(page)
    page.reload(wait_until="commit")
    choose(page, "mfa", "L")
    choose(page, "plan", "dont_know")
    note(page, "mfa").fill("Since May")
    let_go()

    expect(state(page, "mfa")).to_have_text(SAVED)
    expect(state(page, "plan")).to_have_text(SAVED)
    page.reload()
    is_chosen(page, "mfa", "L")
    is_chosen(page, "plan", "dont_know")
    expect(note(page, "mfa")).to_have_value("Since May")


def test_what_does_not_apply_waits_for_its_reason_on_every_page(page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.on("dialog", lambda dialog: dialog.accept())
    choose(page, "mfa", "not_applicable")
    expect(state(page, "mfa")).to_have_text("Not saved yet: say why it does not apply.")

    page.goto(page.url.replace("controls", "about"))
    expect(page.locator("[data-autosave-banner] a")).to_have_text("Is there MFA?")
    assert sent == []


def test_every_kind_of_answer_saves_itself(page: Page) -> None:
    choose(page, "mfa", "not_applicable")
    expect(state(page, "mfa")).to_have_text("Not saved yet: say why it does not apply.")
    page.get_by_label("Why it does not apply").first.fill("No accounts")
    expect(state(page, "mfa")).to_have_text(SAVED)

    page.goto(page.url.replace("controls", "about"))
    choose(page, "exposed", "yes")
    expect(question(page, "vpn")).to_be_visible()
    choose(page, "vpn", "rdp")
    question(page, "site").locator('[name="site:value"]').fill("example.org")
    question(page, "people").locator('[name="people:value"]').fill("12")
    question(page, "since").locator('[name="since:value"]').fill("2026-05-31")
    for name in ("exposed", "vpn", "site", "people", "since"):
        expect(state(page, name)).to_have_text(SAVED)

    page.reload()
    is_chosen(page, "vpn", "rdp")
    expect(question(page, "people").locator('[name="people:value"]')).to_have_value("12")


def test_a_question_disappears_with_the_answer_that_brought_it_up(page: Page) -> None:
    page.goto(page.url.replace("controls", "about"))
    expect(question(page, "vpn")).to_be_hidden()
    choose(page, "exposed", "dont_know")
    expect(question(page, "vpn")).to_be_visible()
    choose(page, "exposed", "no")
    expect(question(page, "vpn")).to_be_hidden()


def test_an_answer_is_cleared(page: Page) -> None:
    choose(page, "mfa", "L")
    expect(state(page, "mfa")).to_have_text(SAVED)
    with page.expect_response(is_save) as cleared:
        question(page, "mfa").get_by_role("button", name="Clear answer").click()

    assert cleared.value.json()["progress"]["answered"] == 0
    expect(question(page, "mfa").locator("input:checked")).to_have_count(0)


def test_a_wrong_answer_is_said_beside_the_question(page: Page) -> None:
    page.goto(page.url.replace("controls", "about"))
    question(page, "people").locator('[name="people:value"]').fill("many")

    expect(state(page, "people")).to_have_text("Not saved: Enter a number, for example 12 or 2.5.")


def test_without_network_it_retries_until_there_is_one(page: Page) -> None:
    page.context.set_offline(True)
    choose(page, "mfa", "L")
    expect(state(page, "mfa")).to_have_text("Not saved, retrying")

    page.context.set_offline(False)
    expect(state(page, "mfa")).to_have_text(SAVED)


def test_what_was_not_saved_survives_closing_the_page_and_is_sent_again(page: Page) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(status=503)

    def close_anyway(dialog: Dialog) -> None:
        warned.append(dialog.type)
        dialog.accept()

    warned: list[str] = []
    page.route("**/answers/", refuse)
    choose(page, "mfa", "L")
    expect(state(page, "mfa")).to_have_text("Not saved, retrying")
    page.once("dialog", close_anyway)
    overview = page.url.partition("sections/")[0]
    page.goto(overview)
    expect(page.locator("[data-autosave-banner] a")).to_have_text("Is there MFA?")
    assert warned == ["beforeunload"]

    page.unroute("**/answers/")
    page.goto(f"{overview}sections/controls/")
    expect(state(page, "mfa")).to_have_text(SAVED)
    is_chosen(page, "mfa", "L")


@pytest.mark.parametrize(("button", "kept"), [("Keep theirs", "F"), ("Use mine", "L")])
def test_the_same_question_in_two_tabs_is_a_visible_conflict(
    page: Page, tab: OpenTab, bob: Person, button: str, kept: str
) -> None:
    hear_nothing(page)
    bobs = tab(bob)
    bobs.goto(page.url)
    choose(bobs, "mfa", "F")
    expect(state(bobs, "mfa")).to_have_text(SAVED)

    choose(page, "mfa", "P")
    conflict = question(page, "mfa").locator("[data-conflict]")
    expect(conflict).to_contain_text(re.compile(r"Bob changed the answer on \d\d? \w{3} \d{4}, \d\d:\d\d UTC."))
    expect(conflict.locator("dl > div")).to_have_text(["TheirsFully", "YoursPartly"])
    choose(page, "mfa", "not_applicable")
    question(page, "mfa").locator('[name="mfa:reason"]').fill("No accounts")
    expect(conflict.locator("dl > div")).to_have_text(["TheirsFully", "YoursNot applicable: No accounts"])
    choose(page, "mfa", "L")
    expect(conflict.locator("dl > div")).to_have_text(["TheirsFully", "YoursMostly"])
    conflict.get_by_role("button", name=button).click()
    expect(conflict).to_be_hidden()
    expect(state(page, "mfa")).to_have_text(SAVED if kept == "L" else re.compile("^Bob changed this answer, "))

    bobs.reload()
    is_chosen(bobs, "mfa", kept)


def test_signed_out_meanwhile_it_says_so_and_saves_after_signing_in_again(page: Page, alice: Person) -> None:
    page.context.clear_cookies(name="sessionid")
    choose(page, "mfa", "L")
    expect(state(page, "mfa")).to_contain_text("You are signed out. Sign in in another tab: nothing is lost.")

    alice.sign_in(page.context)
    expect(state(page, "mfa")).to_have_text(SAVED)


def test_typing_quickly_is_saved_as_it_stands_at_the_end(page: Page) -> None:
    page.goto(page.url.replace("controls", "about"))
    site = question(page, "site").locator('[name="site:value"]')
    site.press_sequentially("www.example.org", delay=60)
    for value in ("yes", "no", "dont_know", "yes", "no"):
        choose(page, "exposed", value)
    expect(state(page, "site")).to_have_text(SAVED)
    expect(state(page, "exposed")).to_have_text(SAVED)

    page.reload()
    expect(question(page, "site").locator('[name="site:value"]')).to_have_value("www.example.org")
    is_chosen(page, "exposed", "no")


def test_no_page_of_answering_breaks_its_own_policy(page: Page) -> None:
    choose(page, "mfa", "L")
    expect(page.locator("[data-panel]")).to_be_visible()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    overview = page.url.partition("sections/")[0]

    for address in (overview, f"{overview}sections/about/", f"{overview}review/", f"{overview}delete/"):
        page.goto(address)
        page.wait_for_load_state("networkidle")

    assert complaints == []


def hold_answer(page: Page, addresses: str) -> Callable[[], None]:
    """The next save is handled by the server, but its answer is held until the function given is called."""
    seen: list[Route] = []
    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        if route.request.method != "POST" or seen:
            route.fallback()
        else:
            seen.append(route)
            held.append((route, route.fetch()))

    def let_go() -> None:
        while not held:
            page.wait_for_timeout(10)
        route, response = held[0]
        route.fulfill(response=response)

    page.route(addresses, hold)
    return let_go


def lose_answer(page: Page, addresses: str) -> None:
    """The next save is handled by the server, but its answer gets lost on the way."""
    lost: list[str] = []

    def lose(route: Route) -> None:
        if lost or route.request.method != "POST":
            route.fallback()
        else:
            lost.append(route.request.url)
            route.fetch()
            route.abort()

    page.route(addresses, lose)


def test_who_types_on_after_an_answer_of_the_server_got_lost_has_no_conflict_with_themselves(page: Page) -> None:
    lose_answer(page, "**/answers/")
    with page.expect_event("requestfailed", is_save):
        choose(page, "mfa", "L")

    choose(page, "mfa", "P")
    expect(state(page, "mfa")).to_have_text(SAVED)
    expect(question(page, "mfa").locator("[data-conflict]")).to_be_hidden()
    page.reload()
    is_chosen(page, "mfa", "P")


def test_who_leaves_before_the_answer_of_the_server_has_no_conflict_with_themselves(page: Page) -> None:
    address = page.url
    page.on("dialog", lambda dialog: dialog.accept())
    hold_answer(page, "**/answers/")
    with page.expect_request(is_save):
        choose(page, "mfa", "L")
    choose(page, "mfa", "P")
    page.goto("about:blank")

    page.goto(address)
    expect(state(page, "mfa")).to_have_text(SAVED)
    expect(question(page, "mfa").locator("[data-conflict]")).to_be_hidden()
    page.reload()
    is_chosen(page, "mfa", "P")


def test_a_colleagues_answer_is_a_conflict_even_where_the_same_was_sent_before(
    page: Page, tab: OpenTab, bob: Person
) -> None:
    def refuse_fully(route: Route) -> None:
        if '"F"' in (route.request.post_data or ""):
            route.fulfill(status=503)
        else:
            route.continue_()

    page.route("**/answers/", refuse_fully)
    choose(page, "mfa", "F")
    expect(state(page, "mfa")).to_have_text("Not saved, retrying")
    hear_nothing(page)
    bobs = tab(bob)
    bobs.goto(page.url)
    choose(bobs, "mfa", "F")
    expect(state(bobs, "mfa")).to_have_text(SAVED)

    choose(page, "mfa", "P")
    expect(question(page, "mfa").locator("[data-conflict]")).to_contain_text("Bob changed the answer on")


def test_who_continues_while_a_save_is_on_its_way_has_no_conflict_with_themselves(page: Page) -> None:
    let_go = hold_answer(page, "**/answers/")
    with page.expect_request(is_save):
        choose(page, "mfa", "L")
    choose(page, "mfa", "P")
    page.get_by_role("button", name="Save and continue").click(no_wait_after=True)
    let_go()

    expect(page).to_have_url(re.compile("/review/$"))
    expect(page.locator("main")).to_contain_text(re.compile(r"Is there MFA\?\s*Partly"))


def test_who_saves_while_a_save_is_on_its_way_goes_where_the_button_says(page: Page) -> None:
    let_go = hold_answer(page, "**/answers/")
    with page.expect_request(is_save):
        choose(page, "mfa", "L")
    page.get_by_role("button", name="Save and go to the overview").click(no_wait_after=True)
    let_go()

    expect(page).to_have_url(re.compile("/submissions/[0-9a-f-]{36}/$"))


def test_what_the_form_has_saved_does_not_come_back_when_a_colleague_changes_it_later(
    page: Page, tab: OpenTab, bob: Person
) -> None:
    address = page.url
    page.clock.install()  # the pause after typing is not over when the button is pressed
    page.reload()
    page.clock.pause_at(datetime.now() + timedelta(hours=1))
    question(page, "mfa").get_by_text("Note", exact=True).click()
    note(page, "mfa").fill("As I see it")
    page.get_by_role("button", name="Save and continue").click()
    expect(page).to_have_url(re.compile("/review/$"))

    bobs = tab(bob)
    bobs.goto(address)
    note(bobs, "mfa").fill("As Bob sees it")
    expect(state(bobs, "mfa")).to_have_text(SAVED)
    page.goto(address.partition("sections/")[0])
    page.wait_for_load_state("networkidle")
    expect(page.locator("[data-autosave-banner]")).to_be_hidden()
    page.goto(address)
    expect(note(page, "mfa")).to_have_value("As Bob sees it")
    expect(question(page, "mfa").locator("[data-conflict]")).to_be_hidden()


def test_what_is_put_right_while_the_wrong_answer_is_on_its_way_is_saved(page: Page) -> None:
    page.clock.install()
    page.goto(page.url.replace("controls", "about"))
    people = question(page, "people").locator('[name="people:value"]')
    let_go = hold_answer(page, "**/answers/")
    with page.expect_request(is_save):
        people.fill("many")
    people.fill("12")
    page.clock.run_for(5_000)  # the pause after typing is over
    let_go()

    expect(state(page, "people")).to_have_text(SAVED)


def test_an_answer_that_was_not_saved_is_sent_from_the_review_too(page: Page) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    page.route("**/answers/", lambda route: route.fulfill(status=503))
    choose(page, "mfa", "L")
    expect(state(page, "mfa")).to_have_text("Not saved, retrying")
    review = page.url.replace("sections/controls", "review")
    page.goto(review)
    expect(page.locator("[data-autosave-banner] a")).to_have_text("Is there MFA?")

    page.unroute("**/answers/")
    page.goto(review)
    expect(page.locator("[data-progress-text]")).to_contain_text("1 of 4 answered")
    expect(page.locator("main")).to_contain_text(re.compile(r"Is there MFA\?\s*Mostly"))


def test_what_another_tab_has_changed_and_saved_since_is_not_sent_again(page: Page) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    page.route("**/answers/", lambda route: route.fulfill(status=503))
    choose(page, "mfa", "L")
    expect(state(page, "mfa")).to_have_text("Not saved, retrying")
    overview = page.url.partition("sections/")[0]
    waiting = page.context.new_page()
    waiting.clock.install()
    waiting.route("**/answers/", lambda route: route.fulfill(status=503))
    waiting.goto(overview)
    banner = waiting.locator("[data-autosave-banner]")
    expect(banner.get_by_role("link")).to_have_text("Is there MFA?")

    page.unroute("**/answers/")
    choose(page, "mfa", "P")
    expect(state(page, "mfa")).to_have_text(SAVED)
    waiting.unroute("**/answers/")
    waiting.clock.run_for(60_000)
    expect(banner).to_be_hidden()
    page.reload()
    is_chosen(page, "mfa", "P")
    expect(question(page, "mfa").locator("[data-conflict]")).to_be_hidden()


def test_what_was_typed_into_a_submitted_one_stays_in_this_browser(page: Page, tab: OpenTab, bob: Person) -> None:
    warned: list[str] = []

    def leave(dialog: Dialog) -> None:
        warned.append(dialog.type)
        dialog.accept()

    bobs = tab(bob)
    bobs.goto(page.url)
    for name, value in (("mfa", "L"), ("backup", "L"), ("plan", "full")):
        choose(bobs, name, value)
        expect(state(bobs, name)).to_have_text(SAVED)
    bobs.goto(page.url.replace("controls", "about"))
    choose(bobs, "exposed", "no")
    expect(state(bobs, "exposed")).to_have_text(SAVED)
    address = page.url
    page.reload()
    bobs.goto(address.replace("sections/controls", "review"))
    bobs.get_by_role("button", name="Submit").click()
    expect(bobs).to_have_url(re.compile("/reports/"))

    note(page, "mfa").fill("Written too late")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("alert").filter(has_text="Your changes are not saved")).to_be_visible()
    page.once("dialog", leave)
    page.goto("about:blank")
    assert warned == ["beforeunload"]
    bobs.get_by_role("button", name="Change answers").click()
    expect(bobs.get_by_text("Reopened.")).to_be_visible()

    page.goto(address)
    expect(note(page, "mfa")).to_have_value("Written too late")
    expect(state(page, "mfa")).to_have_text(SAVED)


def test_what_one_person_typed_is_not_saved_in_the_name_of_another(page: Page, alice: Person, bob: Person) -> None:
    bob.sign_in(page.context)  # in another tab of the same browser
    choose(page, "mfa", "L")
    expect(state(page, "mfa")).to_contain_text("Somebody else is signed in in this browser now")
    page.get_by_role("button", name="Save and continue").click()
    expect(question(page, "mfa")).to_be_focused()

    alice.sign_in(page.context)
    expect(page).to_have_url(re.compile("/review/$"))
    expect(page.locator("main")).to_contain_text(re.compile(r"Is there MFA\?\s*Mostly"))


def test_nothing_of_a_deleted_draft_stays_in_this_browser(page: Page) -> None:
    other = page.context.new_page()
    other.goto(page.url.partition("sections/")[0] + "delete/")
    other.get_by_role("button", name="Delete the draft").click()
    expect(other.get_by_text("The draft is deleted.")).to_be_visible()
    choose(page, "mfa", "L")
    expect(state(page, "mfa")).to_have_text("Not saved: this submission is no longer there.")

    assert page.evaluate("localStorage.length") == 0
