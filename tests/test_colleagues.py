"""Overview and review of a draft stay true while a colleague works on it: in Chromium, against a real server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.conftest import Person, Server
from tests.walking import GOLDEN, answer_everything, start_quick_check

pytestmark = [pytest.mark.browser, pytest.mark.process]

EVERYTHING = GOLDEN | {"exposed": "no", "provider": "no"}


@pytest.fixture
def tab(server: Server, browser: Browser) -> Iterator[Callable[[Person], Page]]:
    contexts: list[BrowserContext] = []

    def open_tab(person: Person) -> Page:
        context = browser.new_context(base_url=server.url)
        contexts.append(context)
        person.sign_in(context)
        return context.new_page()

    yield open_tab
    for context in contexts:
        context.close()


@pytest.fixture
def bobs(server: Server, tab: Callable[[Person], Page], request: pytest.FixtureRequest) -> Page:
    """The first page of a draft that Bob has just started."""
    page = tab(server.person(f"bob-{uuid4().hex}@example.org", f"{request.node.name} {uuid4().hex}", name="Bob"))
    start_quick_check(page)
    return page


@pytest.fixture
def alices(server: Server, tab: Callable[[Person], Page], bobs: Page) -> Page:
    """Alice, Bob's colleague, looks at the overview of his draft."""
    bobs_organisation = bobs.locator(".site-organisation bdi").inner_text()
    page = tab(server.person(f"alice-{uuid4().hex}@example.org", bobs_organisation, name="Alice"))
    page.goto(re.sub(r"sections/.*", "", bobs.url))
    return page


def test_the_overview_counts_what_a_colleague_answers(alices: Page, bobs: Page) -> None:
    expect(alices.locator("[data-live-status]").first).to_have_text("Live")
    expect(alices.locator("[data-progress-text]")).to_have_text(re.compile("^0 of "))

    bobs.get_by_role("button", name="Save and continue").click()
    bobs.locator('input[type=radio][name*="QC-01"][value="F"]').check()

    expect(alices.locator("[data-progress-text]")).to_have_text(re.compile("^1 of "))
    expect(alices.get_by_text("In progress")).to_be_visible()


def test_the_review_says_that_a_colleague_submitted_and_takes_submit_away(alices: Page, bobs: Page) -> None:
    answer_everything(bobs, EVERYTHING)
    alices.get_by_role("link", name="Review").first.click()
    expect(alices.get_by_role("button", name="Submit")).to_be_visible()
    expect(alices.locator("[data-live-status]").first).to_have_text("Live")

    bobs.get_by_role("button", name="Submit").click()

    expect(alices.get_by_role("heading", level=1)).to_have_text("Submitted answers")
    expect(alices.get_by_role("button", name="Submit")).to_have_count(0)
    expect(alices.locator("[data-live-news]")).to_have_text(
        re.compile(r"^Bob submitted this on \d\d? \w{3} \d{4}, \d\d:\d\d UTC\.$")
    )
    expect(alices.get_by_role("button", name="Reopen to change answers")).to_be_visible()


def test_the_review_shows_what_a_colleague_changes_and_keeps_the_focus(alices: Page, bobs: Page) -> None:
    bobs.get_by_role("button", name="Save and continue").click()
    alices.get_by_role("link", name="Review").first.click()
    expect(alices.locator("[data-live-status]").first).to_have_text("Live")
    submit = alices.get_by_role("button", name="Submit")
    submit.focus()

    bobs.locator('input[type=radio][name*="QC-01"][value="F"]').check()

    expect(alices.get_by_text("Fully", exact=True)).to_be_visible()
    expect(alices.get_by_role("button", name="Submit")).to_be_focused()


def test_a_page_of_a_draft_that_a_colleague_deletes_says_so(alices: Page, bobs: Page) -> None:
    expect(alices.locator("[data-live-status]").first).to_have_text("Live")
    bobs.get_by_role("button", name="Save and continue").click()
    bobs.locator('input[type=radio][name*="QC-01"][value="F"]').check()
    expect(alices.locator("[data-progress-text]")).to_have_text(re.compile("^1 of "))

    bobs.goto(f"{alices.url}delete/")
    bobs.get_by_role("button", name="Delete the draft").click()

    expect(alices.get_by_text("somebody deleted the draft, or you are no longer in its organisation")).to_be_visible()
