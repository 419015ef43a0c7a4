"""The evaluation beside the questions: quiet before there is one, and there as soon as there is."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Route, WebSocketRoute, expect

from tests.conftest import Person, Server

pytestmark = [pytest.mark.browser, pytest.mark.process]


@pytest.fixture
def alice(server: Server, context: BrowserContext) -> Person:
    person = server.person(f"alice-{uuid4().hex}@example.org", f"Acme {uuid4().hex}")
    person.sign_in(context)
    return person


@pytest.fixture
def draft(alice: Person, page: Page) -> str:
    """The address of a draft without an answer."""
    page.goto("/questionnaires/")
    page.get_by_role("button", name="Start Security quick check").click()
    page.wait_for_url("**/submissions/**")
    return page.url


def test_a_new_draft_opens_without_a_complaint_of_the_browser(draft: str, context: BrowserContext) -> None:
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    fresh = context.new_page()
    fresh.on("console", note)
    for path in ("", "sections/overview/", "review/"):
        with fresh.expect_response(re.compile("/reports/changes/.*submission=")) as asked:
            fresh.goto(draft + path)
        expect(fresh.locator("[data-live-status]").first).to_have_text("Live")
        asked.value.finished()
        expect(fresh.get_by_text("appear here with the first answer")).to_be_visible()

    assert complaints == []


@pytest.mark.parametrize("sockets", ["open", "blocked"])
def test_the_first_answer_brings_the_evaluation_to_every_tab(
    draft: str, page: Page, context: BrowserContext, sockets: str
) -> None:
    def refuse(socket: WebSocketRoute) -> None:
        socket.close(code=1011)

    other = context.new_page()
    if sockets == "blocked":
        other.route_web_socket("**/ws/reports/", refuse)
    other.goto(draft)
    expect(other.get_by_text("appear here with the first answer")).to_be_visible()

    page.goto(f"{draft}sections/sign-in/")
    page.locator('[name="QC-04:value"][value="F"]').check()

    panel = other.locator("[data-live-panel]")
    expect(panel.get_by_text("1 of 12 scored questions answered")).to_be_visible(timeout=15_000)
    expect(panel.get_by_role("heading", level=2)).to_have_text("Your evaluation so far")


def test_a_hint_that_gets_lost_is_noticed_by_the_answer_to_a_ping(
    draft: str, page: Page, context: BrowserContext
) -> None:
    def lose_hints(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda message: socket.send(message) if "pong" in str(message) else None)

    other = context.new_page()
    other.route_web_socket("**/ws/reports/", lose_hints)
    other.goto(draft)
    expect(other.locator("[data-live-status]").first).to_have_text("Live")

    page.goto(f"{draft}sections/sign-in/")
    page.locator('[name="QC-04:value"][value="F"]').check()

    expect(other.get_by_text("1 of 12 scored questions answered")).to_be_visible(timeout=15_000)


def test_a_fetch_that_fails_is_tried_again_without_another_hint(
    draft: str, page: Page, context: BrowserContext
) -> None:
    failures: list[str] = []

    def fail_once(route: Route) -> None:
        if failures:
            route.continue_()
        else:
            failures.append(route.request.url)
            route.fulfill(status=503)

    other = context.new_page()
    other.goto(draft)
    expect(other.locator("[data-live-status]").first).to_have_text("Live")
    other.route(re.compile("/reports/panel/"), fail_once)

    page.goto(f"{draft}sections/sign-in/")
    page.locator('[name="QC-04:value"][value="F"]').check()

    expect(other.get_by_text("1 of 12 scored questions answered")).to_be_visible(timeout=15_000)
    assert len(failures) == 1


def test_it_says_when_the_browser_is_offline(draft: str, page: Page, context: BrowserContext) -> None:
    page.goto(draft)
    status = page.locator("[data-live-status]").first
    expect(status).to_have_text("Live")

    context.set_offline(True)
    expect(status).to_have_text("Offline: what you see may be out of date")

    context.set_offline(False)
    expect(status).to_have_text("Live")
