"""A form goes once, however often its button is clicked before the next page is there."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Request, Route, expect

from tests.conftest import PASSWORD, Person, Server

pytestmark = [pytest.mark.browser, pytest.mark.process]


@pytest.fixture
def posts(page: Page) -> list[Route]:
    """The forms that the page has sent, each held until it is continued."""
    held: list[Route] = []

    def hold(route: Route, request: Request) -> None:
        if request.method == "POST":
            held.append(route)
        else:
            route.continue_()

    page.route("**/*", hold)
    return held


@pytest.fixture
def alice(server: Server, context: BrowserContext) -> Person:
    person = server.person(f"alice-{uuid4().hex}@example.org", f"Acme {uuid4().hex}")
    person.sign_in(context)
    return person


def click_twice(page: Page, button: Locator) -> None:
    """As fast as a person who is used to double clicks."""
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box
    for _ in range(2):
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_timeout(100)


def test_who_clicks_twice_on_sign_up_signs_up_once(page: Page, posts: list[Route]) -> None:
    page.goto("/accounts/signup/")
    page.get_by_label("Email").fill(f"dora-{uuid4().hex}@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    click_twice(page, page.get_by_role("main").get_by_role("button", name="Sign up"))
    assert len(posts) == 1
    posts[0].continue_()

    expect(page.get_by_role("heading", name="Confirm your email address")).to_be_visible()


def test_who_clicks_twice_on_delete_hears_that_the_draft_is_deleted(
    page: Page, alice: Person, posts: list[Route]
) -> None:
    page.goto("/questionnaires/")
    click_twice(page, page.get_by_role("button", name="Start Security quick check"))
    assert len(posts) == 1
    posts.pop().continue_()
    page.get_by_role("link", name="Delete this draft").click()
    click_twice(page, page.get_by_role("button", name="Delete the draft"))
    assert len(posts) == 1
    posts[0].continue_()

    expect(page.get_by_text("The draft is deleted.")).to_be_visible()


def test_a_form_that_did_not_get_through_can_be_sent_again(page: Page, alice: Person, posts: list[Route]) -> None:
    page.clock.install()
    page.goto("/questionnaires/")
    start = page.get_by_role("button", name="Start Security quick check")
    click_twice(page, start)
    posts.pop().abort("aborted")
    page.clock.run_for(10_000)
    with page.expect_request(lambda request: request.method == "POST"):
        start.click(no_wait_after=True)
    while not posts:
        page.wait_for_timeout(10)
    posts.pop().continue_()

    expect(page).to_have_url(re.compile("/submissions/"))


def test_a_press_is_seen_to_be_answered_while_the_server_takes_its_time(page: Page, posts: list[Route]) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill("nobody@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    button = page.get_by_role("main").get_by_role("button", name="Sign in")

    # Nothing can be asked of a page that is about to go, so it leaves word of what is seen on it.
    button.evaluate(
        """(button) => addEventListener("pagehide", () => {
          const wheel = getComputedStyle(button, "::before").borderTopStyle;
          sessionStorage.setItem("seen", `${button.ariaBusy} ${wheel}`);
        })"""
    )
    click_twice(page, button)

    assert len(posts) == 1
    posts[0].continue_()
    expect(page.get_by_role("alert")).to_be_focused()
    assert page.evaluate("() => sessionStorage.getItem('seen')") == "true solid"
    assert page.title().startswith("Error: Sign in")
    expect(button).not_to_have_attribute("aria-busy", "true")


def test_a_press_after_an_error_and_after_going_back_goes_through(page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.goto("/accounts/login/")
    for number in range(1, 4):
        page.get_by_label("Email").fill("nobody@example.org")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_be_focused()
        assert len(sent) == number
        if number == 1:
            page.go_back()
