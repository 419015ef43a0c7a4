"""What arrives live takes nothing out of a person's hands: no click, no focus, no way that they have chosen."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from tests.conftest import Server
from tests.walking import GOLDEN, answer_everything, choose, start_quick_check

pytestmark = [pytest.mark.browser, pytest.mark.process]

OpenTab = Callable[[str], Page]
ANSWERS = GOLDEN | {"exposed": "no", "provider": "no"}
FETCHED = r"/reports/[0-9a-f-]{36}/$"
REPORT = re.compile(FETCHED)
SUBMISSION = re.compile(r"/submissions/[0-9a-f-]{36}/$")


@pytest.fixture
def tab(server: Server, browser: Browser, request: pytest.FixtureRequest) -> Iterator[OpenTab]:
    """Opens a tab in a browser of its own for somebody of one organisation."""
    contexts: list[BrowserContext] = []

    def open_tab(name: str) -> Page:
        context = browser.new_context(base_url=server.url)
        contexts.append(context)
        person = server.person(f"{name.lower()}-{uuid4().hex}@example.org", request.node.name, name=name)
        person.sign_in(context)
        return context.new_page()

    yield open_tab
    for context in contexts:
        context.close()


@pytest.fixture
def alices(tab: OpenTab) -> Page:
    """Alice's tab, on the first page of a draft with one answer that counts."""
    page = tab("Alice")
    start_quick_check(page)
    page.goto(section(page.url, "overview"))
    choose(page, "QC-01", "F")
    expect(panel(page)).to_contain_text("1 of 12 scored questions answered")
    return page


@pytest.fixture
def bobs(tab: OpenTab, alices: Page) -> Page:
    """Bob's tab, on the same page of the same draft."""
    page = tab("Bob")
    page.goto(alices.url)
    return page


def section(address: str, name: str) -> str:
    return re.sub(r"/sections/.*", f"/sections/{name}/", address)


def panel(page: Page) -> Locator:
    return page.locator("[data-live-panel]")


def is_live(page: Page) -> None:
    """Wait until it hears of everything, and has fetched what it missed."""
    expect(page.locator("[data-live-status]").first).to_have_text("Live")
    page.wait_for_load_state("networkidle")


def press(page: Page, place: Locator) -> None:
    """Press the mouse's button on it, and do not let go."""
    place.scroll_into_view_if_needed()
    place.hover()
    page.mouse.down()


def let_it_arrive(page: Page, addresses: str, act: Callable[[], None]) -> None:
    """Do this, and wait until the page has been told of it and has had its turn."""
    with page.expect_response(re.compile(addresses)) as told:
        act()
    told.value.finished()
    page.wait_for_timeout(300)  # nothing is to be seen when all is well; what is wrong would have happened by now


def test_a_link_of_the_panel_that_is_pressed_while_the_panel_changes_is_followed(alices: Page, bobs: Page) -> None:
    is_live(alices)
    press(alices, panel(alices).get_by_role("link", name="Read the whole report so far"))
    let_it_arrive(alices, "/reports/panel/", lambda: choose(bobs, "QC-02", "P"))
    alices.mouse.up()

    expect(alices).to_have_url(REPORT)


def test_the_panel_changes_as_soon_as_the_mouse_is_let_go(alices: Page, bobs: Page) -> None:
    is_live(alices)
    press(alices, alices.get_by_role("heading", level=1))
    let_it_arrive(alices, "/reports/panel/", lambda: choose(bobs, "QC-02", "P"))
    expect(panel(alices)).to_contain_text("1 of 12 scored questions answered")
    alices.mouse.up()

    expect(panel(alices)).to_contain_text("2 of 12 scored questions answered")


def test_a_row_of_the_list_that_is_pressed_while_it_changes_is_opened(alices: Page, bobs: Page) -> None:
    alices.goto("/reports/")
    is_live(alices)
    press(alices, alices.get_by_role("main").get_by_role("link", name=re.compile("Security quick check")))
    let_it_arrive(alices, "/reports/changes/", lambda: choose(bobs, "QC-02", "P"))
    alices.mouse.up()

    expect(alices).to_have_url(REPORT)


def test_a_button_of_the_report_that_is_pressed_while_the_report_changes_works(alices: Page, bobs: Page) -> None:
    panel(alices).get_by_role("link", name="Read the whole report so far").click()
    is_live(alices)
    press(alices, alices.get_by_role("link", name="Go on answering"))
    let_it_arrive(alices, FETCHED, lambda: choose(bobs, "QC-02", "P"))
    alices.mouse.up()

    expect(alices).to_have_url(SUBMISSION)


def test_a_button_that_is_pressed_by_the_keyboard_while_the_report_changes_works(alices: Page, bobs: Page) -> None:
    panel(alices).get_by_role("link", name="Read the whole report so far").click()
    is_live(alices)
    alices.evaluate("void (window.print = () => { document.body.dataset.printed = 'yes'; })")
    alices.get_by_role("button", name="Print or save as PDF").focus()
    alices.keyboard.down("Space")
    let_it_arrive(alices, FETCHED, lambda: choose(bobs, "QC-02", "P"))
    alices.keyboard.up("Space")

    expect(alices.locator("body[data-printed]")).to_have_count(1)


@pytest.mark.parametrize("focused", ["details[id^=how-] > summary", "[data-print]", "a[href='#answers']"])
def test_the_focus_stays_where_it_is_when_the_report_changes(alices: Page, bobs: Page, focused: str) -> None:
    choose(alices, "QC-02", "P")
    expect(panel(alices)).to_contain_text("2 of 12 scored questions answered")
    panel(alices).get_by_role("link", name="Read the whole report so far").click()
    is_live(alices)
    alices.locator(focused).first.focus()
    choose(bobs, "QC-03", "L")
    expect(alices.get_by_text("3 of 12 scored questions answered")).to_be_visible()

    expect(alices.locator(focused).first).to_be_focused()


def test_the_focus_goes_to_the_page_when_its_button_is_gone(alices: Page, bobs: Page) -> None:
    alices.goto(section(alices.url, "about-you"))
    answer_everything(alices, ANSWERS)
    alices.get_by_role("button", name="Submit").click()
    is_live(alices)
    alices.get_by_role("button", name="Change answers", exact=True).focus()
    bobs.goto(alices.url)
    bobs.get_by_role("button", name="Change answers", exact=True).click()
    bobs.get_by_role("link", name=re.compile("Passwords")).click()
    choose(bobs, "QC-06", "F")
    expect(alices.get_by_text("The answers are being changed.")).to_be_visible()

    expect(alices.get_by_role("main")).to_be_focused()


def wait_for_the_report(page: Page, server: Server) -> None:
    """Submit while nothing is evaluated; `manage.py bus resume security.evaluate` has to follow."""
    page.goto(section(page.url, "about-you"))
    answer_everything(page, ANSWERS)
    assert server.manage("bus", "pause", "security.evaluate").returncode == 0
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("heading", name="Your report is being made")).to_be_visible()
    is_live(page)


def test_who_presses_reopen_while_the_report_arrives_is_not_taken_to_the_report(alices: Page, server: Server) -> None:
    def resume() -> None:
        assert server.manage("bus", "resume", "security.evaluate").returncode == 0

    try:
        wait_for_the_report(alices, server)
        press(alices, alices.get_by_role("button", name="Reopen to change answers"))
    except BaseException:
        resume()
        raise
    let_it_arrive(alices, "/reports/panel/", resume)
    alices.mouse.up()

    expect(alices).to_have_url(SUBMISSION)
    expect(alices.get_by_role("main")).to_contain_text("Reopened")


def test_who_waits_for_a_report_hears_that_the_answers_were_reopened_and_changed(
    alices: Page, bobs: Page, server: Server
) -> None:
    held: list[Route] = []
    is_known = False

    def hold(route: Route) -> None:
        if is_known:
            route.continue_()
        else:
            held.append(route)

    try:
        wait_for_the_report(alices, server)
        alices.route(re.compile("/reports/panel/"), hold)
        bobs.goto(alices.url.partition("?")[0])
        bobs.get_by_role("button", name="Reopen to change answers").click()
        bobs.get_by_role("link", name=re.compile("Passwords")).click()
        choose(bobs, "QC-06", "F")
        expect(bobs.locator('[data-question="QC-06"] [data-save-state]')).to_have_text(re.compile("^Saved"))
    finally:
        with alices.expect_request(re.compile("/reports/panel/")):
            assert server.manage("bus", "resume", "security.evaluate").returncode == 0
    expect(panel(bobs)).to_contain_text("58.3 of 100")  # what was submitted says "Up to 58.3"
    is_known = True
    for route in held:
        route.continue_()

    expect(alices.get_by_role("heading", name="Your report is being made")).to_be_hidden()
    expect(alices.get_by_role("main")).to_contain_text("Somebody reopened this before you came here")
    expect(alices.get_by_role("link", name=re.compile("Passwords"))).to_be_visible()


# Nothing can be asked of a page that is about to go, so it tells by itself what it says, and leaves word of what was
# seen on it at the end, before its own scripts clear up.
LEAVE_WORD = """addEventListener("pagehide", () => {
  const button = window.pressed;
  const seen = button && [button.isConnected, document.activeElement.textContent];
  if (seen) sessionStorage.setItem("seen", JSON.stringify(seen));
});"""
LISTEN = """button => {
  window.pressed = button;
  new MutationObserver(() => console.info(document.querySelector("[data-press-state]")?.textContent)).observe(
    document.body, { childList: true, subtree: true });
}"""
WAITING = "Waiting for the server. This page goes on by itself as soon as it answers."


def hold_a_press_on_change_answers(page: Page) -> list[Route]:
    """Submit, press "Change answers" in the report, and see the page wait for the server."""
    page.goto(section(page.url, "about-you"))
    answer_everything(page, ANSWERS)
    page.get_by_role("button", name="Submit").click()
    expect(page).to_have_url(REPORT)
    is_live(page)
    held: list[Route] = []
    page.route("**/reopen/", lambda route: held.append(route))
    button = page.get_by_role("button", name="Change answers", exact=True)
    button.evaluate(LISTEN)
    with page.expect_console_message(lambda message: message.text == WAITING):
        button.click(no_wait_after=True)
    return held


def test_a_form_that_is_on_its_way_and_what_the_page_says_of_it_stay_when_the_report_changes(
    alices: Page, bobs: Page
) -> None:
    alices.add_init_script(LEAVE_WORD)
    held = hold_a_press_on_change_answers(alices)

    bobs.goto(alices.url)
    bobs.get_by_role("button", name="Change answers", exact=True).click()
    bobs.get_by_role("link", name=re.compile("Passwords")).click()
    let_it_arrive(alices, FETCHED, lambda: choose(bobs, "QC-06", "F"))
    held[0].continue_()

    expect(alices).to_have_url(SUBMISSION)
    assert json.loads(alices.evaluate("sessionStorage.getItem('seen')")) == [True, WAITING]


def test_what_is_stopped_by_the_person_holds_nothing_up(alices: Page, bobs: Page) -> None:
    hold_a_press_on_change_answers(alices)
    alices.context.new_cdp_session(alices).send("Page.stopLoading")
    report = alices.locator(".report")
    newest = report.get_attribute("data-newest") or ""

    expect(alices.get_by_text(WAITING)).to_be_hidden()
    expect(alices.locator("[aria-busy=true]")).to_have_count(0)
    bobs.goto(alices.url)
    bobs.get_by_role("button", name="Change answers", exact=True).click()
    bobs.get_by_role("link", name=re.compile("Passwords")).click()
    choose(bobs, "QC-06", "F")
    expect(report).not_to_have_attribute("data-newest", newest)


def test_a_click_is_not_lost_when_a_notice_appears_above_what_is_pressed(alices: Page) -> None:
    panel(alices).get_by_role("link", name="Read the whole report so far").click()
    is_live(alices)
    alices.context.clear_cookies(name="sessionid")
    press(alices, alices.get_by_role("link", name="Go on answering"))
    let_it_arrive(alices, FETCHED, lambda: alices.evaluate("void dispatchEvent(new Event('online'))"))
    expect(alices.get_by_text("You are signed out")).to_be_hidden()
    alices.mouse.up()

    expect(alices).to_have_url(re.compile("/accounts/login/.*submissions"))
