"""Answers that come faster than they are taken wait, say so, and are saved by themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.answering.conftest import OFFER_SMALL_CHECK
from tests.answering.steps import SAVED, choose, pressed, radio, saves, state, values
from tests.conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.process]


@pytest.fixture
def page(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Page]:
    """A draft's controls, on a server that takes one save, and the next after three seconds."""
    server = Server(tmp_path_factory.mktemp("limit") / "data", LIMIT_SAVES_PERSON="20/m,1")
    server.start()
    try:
        offered = server.manage("shell", "--no-imports", "-c", OFFER_SMALL_CHECK)
        assert offered.returncode == 0, offered.stderr
        context = browser.new_context(base_url=server.url)
        server.person("alice@example.org", "Acme", name="Alice").sign_in(context)
        page = context.new_page()
        page.goto("/questionnaires/")
        page.get_by_role("button", name="Start Small check").click()
        page.get_by_role("link", name="Controls").click()
        yield page
        context.close()
    finally:
        server.end()


def test_an_answer_beyond_the_limit_says_how_long_it_waits_and_the_page_goes_on_with_it(page: Page) -> None:
    sent = saves(page)
    choose(page, "mfa", "L")
    expect(state(page, "mfa")).to_have_text(SAVED)

    choose(page, "backup", "F")
    expect(state(page, "backup")).to_have_text(
        "Not saved: Too much was saved at once. This is saved by itself in 3 seconds; nothing is lost."
    )
    page.get_by_role("button", name="Save and go to the overview").click()
    expect(pressed(page)).to_contain_text("The page goes on by itself when this is over.")

    page.wait_for_url("**/submissions/*/")
    assert values(sent) == ["L", "F", "F"]
    page.go_back()
    page.reload()
    expect(radio(page, "mfa", "L")).to_be_checked()
    expect(radio(page, "backup", "F")).to_be_checked()
