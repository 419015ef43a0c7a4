"""Each answer saves itself, and nothing is lost in silence: in Chromium, against a real server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Locator, Page, Route, expect

from tests.conftest import Person, Server

pytestmark = [pytest.mark.browser, pytest.mark.process]

OFFER_SMALL_CHECK = """
from answers.tests.small import DEFINITION
from questionnaires import library
from questionnaires.definition import from_canonical
library.store(from_canonical(DEFINITION))
"""
SAVED = re.compile(r"^Saved \d\d:\d\d$")
OpenTab = Callable[[Person], Page]


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this module's own, for the small questionnaire is offered on it."""
    server = Server(tmp_path_factory.mktemp("autosave") / "data")
    server.start()
    offered = server.manage("shell", "--no-imports", "-c", OFFER_SMALL_CHECK)
    assert offered.returncode == 0, offered.stderr
    yield server
    server.stop()


@pytest.fixture
def tab(small_server: Server, browser: Browser) -> Iterator[OpenTab]:
    """Opens a tab of a browser of its own, signed in."""
    contexts: list[BrowserContext] = []

    def open_tab(person: Person) -> Page:
        context = browser.new_context(base_url=small_server.url)
        contexts.append(context)
        person.sign_in(context)
        return context.new_page()

    yield open_tab
    for context in contexts:
        context.close()


@pytest.fixture
def alice(small_server: Server, request: pytest.FixtureRequest) -> Person:
    return small_server.person(f"alice-{uuid4().hex}@example.org", request.node.name, name="Alice")


@pytest.fixture
def bob(small_server: Server, alice: Person, request: pytest.FixtureRequest) -> Person:
    return small_server.person(f"bob-{uuid4().hex}@example.org", request.node.name, name="Bob")


@pytest.fixture
def page(tab: OpenTab, alice: Person) -> Page:
    """The controls of a submission that Alice has just started."""
    page = tab(alice)
    page.goto("/questionnaires/")
    page.get_by_role("button", name="Start Small check").click()
    page.get_by_role("link", name="Controls").click()
    return page


def question(page: Page, name: str) -> Locator:
    return page.locator(f'[data-question="{name}"]')


def choose(page: Page, name: str, value: str) -> None:
    question(page, name).locator(f'input[value="{value}"]').check()


def state(page: Page, name: str) -> Locator:
    return question(page, name).locator("[data-save-state]")


def is_chosen(page: Page, name: str, value: str) -> None:
    expect(question(page, name).locator(f'input[value="{value}"]')).to_be_checked()


def test_an_answer_saves_itself_and_is_there_after_a_reload(page: Page) -> None:
    choose(page, "mfa", "L")
    expect(state(page, "mfa")).to_have_text(SAVED)
    expect(page.locator("[data-progress-text]")).to_have_text("1 of 7 answered, about 3 minutes left")

    page.reload()
    is_chosen(page, "mfa", "L")


def test_what_does_not_apply_waits_for_its_reason_on_every_page(page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method) if request.url.endswith("/answers/") else None)
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
    with page.expect_response("**/answers/") as cleared:
        question(page, "mfa").get_by_text("Clear the answer").click()

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


@pytest.mark.parametrize(("button", "kept"), [("Keep theirs", "F"), ("Use mine", "P")])
def test_the_same_question_in_two_tabs_is_a_visible_conflict(
    page: Page, tab: OpenTab, bob: Person, button: str, kept: str
) -> None:
    bobs = tab(bob)
    bobs.goto(page.url)
    choose(bobs, "mfa", "F")
    expect(state(bobs, "mfa")).to_have_text(SAVED)

    choose(page, "mfa", "P")
    conflict = question(page, "mfa").locator("[data-conflict]")
    expect(conflict).to_contain_text(re.compile(r"Changed meanwhile by Bob at \d\d:\d\d: Fully"))
    expect(conflict).to_contain_text("You chose: Partly")
    conflict.get_by_role("button", name=button).click()
    expect(conflict).to_be_hidden()
    expect(state(page, "mfa")).to_have_text(SAVED)

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
