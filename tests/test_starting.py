"""Coming back to one's work, and starting another on purpose only: in Chromium, with JavaScript and without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import Server
from tests.walking import choose, go_on, start_quick_check

pytestmark = [pytest.mark.browser, pytest.mark.process]


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def page(request: pytest.FixtureRequest, server: Server, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        base_url=server.url, java_script_enabled=request.param, viewport={"width": 360, "height": 800}
    )
    server.person(f"alice-{uuid4().hex}@example.org", uuid4().hex, name="Alice").sign_in(context)
    yield context.new_page()
    context.close()


def test_who_comes_back_goes_on_and_starts_another_on_purpose_only(page: Page) -> None:
    start_quick_check(page)
    go_on(page)
    choose(page, "QC-01", "F")
    go_on(page)
    expect(page.get_by_role("heading", name="Passwords and signing in")).to_be_visible()

    page.goto("/questionnaires/")
    going_on = page.get_by_role("region", name="Continue", exact=True)
    expect(going_on).to_be_in_viewport()
    expect(going_on.get_by_text(re.compile("^Last change: .+, you$"))).to_be_visible()
    page.get_by_role("button", name="Start Security quick check").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Start Security quick check")

    page.get_by_label("Name").fill("Shop in Linz")
    page.get_by_role("button", name="Start under this name").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Security quick check: Shop in Linz")

    page.get_by_text("Change the name").click()
    page.get_by_label("Name").fill("Shop in Wels")
    page.get_by_role("button", name="Save the name").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Security quick check: Shop in Wels")

    page.get_by_role("link", name="All questionnaires").click()
    expect(going_on.get_by_role("article")).to_have_count(2)
    expect(
        going_on.get_by_role("link", name=re.compile("^Continue Security quick check: Shop in Wels"))
    ).to_be_visible()


def test_back_and_start_again_asks_instead_of_starting(page: Page) -> None:
    page.goto("/questionnaires/")
    page.get_by_role("button", name="Start Security quick check").click()
    page.get_by_role("link", name="Begin").click()
    go_on(page)
    choose(page, "QC-01", "F")
    go_on(page)
    expect(page.get_by_role("heading", name="Passwords and signing in")).to_be_visible()

    while not page.url.endswith("/questionnaires/"):
        page.go_back()
    page.get_by_role("button", name="Start Security quick check").click()

    expect(page.get_by_role("heading", name="Go on with what is there?")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(1)
