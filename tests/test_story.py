"""The story of the product in Chromium: sign up, answer, watch, submit, and the report is everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.conftest import PASSWORD, Person, Server
from tests.walking import GOLDEN, answer_everything, answer_page, go_on, start_quick_check

pytestmark = [pytest.mark.browser, pytest.mark.process]

OpenTab = Callable[..., Page]
ANSWERS = GOLDEN | {"exposed": "no", "provider": "no"}


@pytest.fixture
def tab(server: Server, browser: Browser) -> Iterator[OpenTab]:
    """Opens a tab in a browser of its own, for a person who is signed in. The console of a quiet one stays empty."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_tab(person: Person | None = None, *, javascript: bool = True, quiet: bool = True) -> Page:
        context = browser.new_context(base_url=server.url, java_script_enabled=javascript)
        contexts.append(context)
        if person:
            person.sign_in(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if quiet and javascript:
            page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        return page

    yield open_tab
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def alice(server: Server, request: pytest.FixtureRequest) -> Person:
    return server.person(f"alice-{uuid4().hex}@example.org", request.node.name, name="Alice")


@pytest.fixture
def bob(server: Server, alice: Person, request: pytest.FixtureRequest) -> Person:
    return server.person(f"bob-{uuid4().hex}@example.org", request.node.name, name="Bob")


def within(seconds: int, page: Page, holds: Callable[[], bool]) -> None:
    """Wait for what the page's own traffic shows, while the page itself is on its way to another."""
    for _ in range(seconds * 10):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"it did not come about within {seconds} s")


def sign_up(page: Page, server: Server) -> None:
    """From the start page to a confirmed address, with the code from the mail."""
    email = f"dora-{uuid4().hex}@example.org"
    page.goto("/")
    page.get_by_role("link", name="Sign up").first.click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Organisation").fill(f"Dora & Daughters {email[:12]}")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page).to_have_url(re.compile("/accounts/confirm-email/"))
    text = server.mails(email)[-1].get_content()
    code = re.search(r"^\s*([A-Z0-9]{4}-[A-Z0-9]{4})\s*$", text, re.MULTILINE)
    assert code, text
    page.get_by_label("Code").fill(code[1])
    page.get_by_role("main").get_by_role("button", name=re.compile("confirm", re.IGNORECASE)).first.click()
    expect(page).to_have_url(re.compile("/questionnaires/$"))


def test_a_newcomer_signs_up_answers_watches_submits_and_both_tabs_show_the_final_report(
    server: Server, tab: OpenTab
) -> None:
    page = tab()
    sign_up(page, server)
    other = page.context.new_page()
    other.goto("/reports/")
    expect(other.get_by_role("heading", name="No reports yet")).to_be_visible()

    start_quick_check(page)
    panel = page.get_by_role("region", name="Your evaluation so far")
    expect(panel).to_contain_text("appear here with the first answer")
    answer_page(page, ANSWERS)
    expect(page.get_by_text(re.compile("^2 of 1[0-9] answered"))).to_be_visible()
    go_on(page)
    answer_page(page, ANSWERS)  # QC-01 F, QC-02 P, QC-03 L
    expect(panel).to_contain_text("66.7")
    expect(panel).to_contain_text("3 of 12 scored questions answered")
    provisional = other.get_by_role("listitem").filter(has_text="Provisional")
    expect(provisional).to_contain_text("66.7")

    go_on(page)
    answer_everything(page, ANSWERS)
    expect(panel).to_contain_text("1 essential missing; it keeps the rating at D or below:")
    page.get_by_role("button", name="Submit").click()

    expect(page).to_have_url(re.compile(r"/reports/[0-9a-f-]{36}/$"))
    expect(page.get_by_role("main")).to_contain_text("50 of 100")
    final = other.get_by_role("listitem").filter(has_text="Final")
    expect(final).to_contain_text("50")
    expect(final).to_contain_text("to 58.3")
    expect(other.get_by_role("listitem").filter(has_text="Provisional")).to_have_count(0)


def test_the_report_page_explains_its_numbers(tab: OpenTab, alice: Person) -> None:
    page = tab(alice)
    start_quick_check(page)
    answer_everything(page, ANSWERS)
    page.get_by_role("button", name="Submit").click()
    expect(page).to_have_url(re.compile(r"/reports/[0-9a-f-]{36}/$"))

    main = page.get_by_role("main")
    expect(main).to_contain_text("50 to 58.3")
    expect(main).to_contain_text(re.compile("capped at D", re.IGNORECASE))
    expect(main).to_contain_text("QC-06")
    protect = page.get_by_role("row", name=re.compile("^Protect"))
    expect(protect).to_contain_text("47.6")
    expect(protect).to_contain_text("Risk Informed")
    expect(main).to_contain_text("+8.3 points")
    expect(main).to_contain_text("weighted-v1")


def test_a_colleague_sees_the_report_live_and_a_stranger_does_not(
    server: Server, tab: OpenTab, alice: Person, bob: Person
) -> None:
    charlie = server.person(f"charlie-{uuid4().hex}@example.org", f"Contoso {uuid4().hex}")
    colleague, stranger = tab(bob), tab(charlie)
    for each in (colleague, stranger):
        each.goto("/reports/")
    page = tab(alice)
    start_quick_check(page)
    go_on(page)
    answer_page(page, {"QC-01": "F"})

    expect(colleague.get_by_role("listitem").filter(has_text="Provisional")).to_be_visible()
    stranger.reload()
    expect(stranger.get_by_role("heading", name="No reports yet")).to_be_visible()


def test_after_a_broken_connection_nothing_is_missing(tab: OpenTab, alice: Person, bob: Person) -> None:
    colleague, page = tab(bob, quiet=False), tab(alice)
    colleague.goto("/questionnaires/")
    start_quick_check(page)
    go_on(page)
    colleague.goto("/reports/")
    expect(colleague.get_by_text("Live", exact=True)).to_be_visible()
    colleague.route_web_socket("**/ws/**", lambda socket: socket.close())
    colleague.context.set_offline(True)

    answer_page(page, {"QC-01": "F", "QC-02": "P"})
    expect(page.get_by_role("region", name="Your evaluation so far")).to_contain_text("66.7")
    colleague.context.set_offline(False)

    expect(colleague.get_by_role("listitem").filter(has_text="Provisional")).to_contain_text("66.7", timeout=20_000)


def test_where_websockets_are_blocked_the_list_is_polled(tab: OpenTab, alice: Person, bob: Person) -> None:
    colleague, page = tab(bob), tab(alice)
    colleague.route_web_socket("**/ws/**", lambda socket: socket.close())
    colleague.goto("/reports/")
    start_quick_check(page)
    go_on(page)
    answer_page(page, {"QC-01": "F"})

    row = colleague.get_by_role("listitem").filter(has_text="Provisional")
    expect(row).to_contain_text("100", timeout=30_000)
    expect(colleague.get_by_text("Checking every 5 seconds")).to_be_visible()


def test_a_second_report_says_what_changed_since_the_first(tab: OpenTab, alice: Person) -> None:
    page = tab(alice)
    start_quick_check(page)
    answer_everything(page, ANSWERS)
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("button", name="Change answers", exact=True).click()  # the report's: the one before says "Reopen"
    page.get_by_role("link", name=re.compile("Passwords")).click()
    page.wait_for_url("**/sections/**")
    answer_page(page, {"QC-06": "F"})
    answer_everything(page, {})
    page.get_by_role("button", name="Submit").click()

    expect(page).to_have_url(re.compile(r"/reports/[0-9a-f-]{36}/$"))
    changes = page.get_by_role("main")
    expect(changes).to_contain_text("58.3")
    expect(changes).to_contain_text("+8.3")
    page.goto("/reports/")
    expect(page.get_by_role("listitem").filter(has_text="Final")).to_have_count(2)


def test_who_reopens_while_the_report_is_being_made_is_not_taken_to_the_report(
    server: Server, tab: OpenTab, alice: Person
) -> None:
    page = tab(alice)
    start_quick_check(page)
    answer_everything(page, ANSWERS)
    reopening: list[Route] = []
    told: list[str] = []

    def tell(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer)
        told.append(answer.text())

    page.route("**/reopen/", lambda route: reopening.append(route))
    page.route("**/panel/**", tell)
    assert server.manage("bus", "pause", "security.evaluate").returncode == 0
    try:
        page.get_by_role("button", name="Submit").click()
        page.get_by_role("button", name="Reopen to change answers").click(no_wait_after=True)
    finally:
        assert server.manage("bus", "resume", "security.evaluate").returncode == 0
    within(30, page, lambda: 'data-final="true"' in "".join(told))
    page.wait_for_timeout(500)  # in which it would go to the report
    reopening[0].continue_()

    expect(page).to_have_url(re.compile(r"/submissions/[0-9a-f-]{36}/$"))
    expect(page.get_by_role("main")).to_contain_text("Reopened")
    expect(page.get_by_role("link", name=re.compile("Passwords"))).to_be_visible()


def test_without_javascript_the_whole_story_works(tab: OpenTab, alice: Person) -> None:
    page = tab(alice, javascript=False)
    start_quick_check(page)
    page.goto(re.sub(r"/sections/.*", "/review/", page.url))
    page.get_by_role("button", name="Submit").click()
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("still need an answer")
    expect(summary.get_by_role("listitem")).to_have_count(14)

    summary.get_by_role("link").first.click()
    page.wait_for_url("**/sections/**")
    answer_everything(page, GOLDEN | {"exposed": "yes", "provider": "no", "QC-13": "F"})
    page.get_by_role("link", name=re.compile("Change.*One named person")).click()
    expect(page.locator('input[name*="QC-01"][value="F"]')).to_be_checked()
    page.go_back()
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url(re.compile(r"submitted=1$|/reports/"))
    page.goto("/reports/")
    page.get_by_role("main").get_by_role("link", name=re.compile("Security quick check")).click()
    expect(page.get_by_role("main")).to_contain_text("53.8")


def test_without_javascript_a_change_in_two_tabs_is_a_visible_conflict(
    tab: OpenTab, alice: Person, bob: Person
) -> None:
    mine, theirs = tab(alice, javascript=False), tab(bob, javascript=False)
    start_quick_check(mine)
    go_on(mine)
    theirs.goto(mine.url)
    answer_page(theirs, {"QC-01": "F"})
    go_on(theirs)
    address = mine.url
    answer_page(mine, {"QC-01": "P", "QC-02": "L"})
    mine.get_by_role("button", name="Save and continue").click()

    main = mine.get_by_role("main")
    expect(main).to_contain_text(re.compile("Bob changed", re.IGNORECASE | re.DOTALL))
    expect(main).to_contain_text("Fully")
    expect(main).to_contain_text("Partly")
    mine.goto(address)
    expect(mine.locator('input[name*="QC-01"][value="F"]')).to_be_checked()
    expect(mine.locator('input[name*="QC-02"][value="L"]')).to_be_checked()
