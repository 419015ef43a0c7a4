"""Signing out leaves nothing in the browser, and a person is told before something is lost."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import Server

pytestmark = pytest.mark.browser

STORED = "() => Object.keys(localStorage).length + Object.keys(sessionStorage).length"
UNSAVED = "() => Object.keys(localStorage).filter((key) => key.startsWith('plumbline.unsaved.')).length"


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """Of somebody who is signed in."""
    context = browser.new_context(base_url=server.url)
    server.person(f"alice-{uuid4().hex}@example.org", uuid4().hex, name="Alice").sign_in(context)
    yield context.new_page()
    context.close()


def _start(page: Page) -> None:
    """Go to the first page of questions of a new draft."""
    page.goto("/questionnaires/")
    page.get_by_role("button", name="Start Security quick check").click()
    page.wait_for_url("**/submissions/**")
    page.locator('main a[href*="/sections/"]').first.click()
    page.wait_for_url("**/sections/**")


def _sign_out(page: Page) -> None:
    page.get_by_role("button", name="Account").click()
    page.locator("#account-menu").get_by_role("button", name="Sign out").click()


def test_what_is_not_saved_is_told_before_it_is_lost(page: Page, server: Server) -> None:
    _start(page)
    page.route("**/answers/", lambda route: route.abort())
    page.locator("[data-question] label").first.click()
    page.wait_for_function(UNSAVED)
    dialog = page.get_by_role("dialog", name="Not everything is saved")

    _sign_out(page)
    expect(dialog).to_contain_text("An answer that you gave in this browser is not saved yet.")
    dialog.get_by_role("button", name="Stay").click()
    expect(dialog).to_be_hidden()
    assert page.evaluate(UNSAVED) == 1

    _sign_out(page)
    dialog.get_by_role("button", name="Sign out and remove them").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    assert page.evaluate(STORED) == 0


def test_after_signing_out_nothing_is_stored_and_back_shows_nothing(page: Page, server: Server) -> None:
    _start(page)
    title = page.locator("h1").inner_text()
    page.evaluate("() => { localStorage.setItem('of another script', 'x'); sessionStorage.setItem('y', 'z'); }")

    _sign_out(page)
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    assert page.evaluate(STORED) == 0  # what no script of ours knows, too: the header asks for it
    page.go_back()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("heading", name=title)).to_have_count(0)


def test_the_dialog_is_used_by_the_keyboard_alone(page: Page) -> None:
    _start(page)
    page.evaluate("() => localStorage.setItem('plumbline.unsaved.a.b.c~d', '{}')")
    page.goto("/accounts/logout/")
    page.locator("main").get_by_role("button", name="Sign out").press("Enter")
    dialog = page.get_by_role("dialog", name="Not everything is saved")
    expect(dialog.get_by_role("button", name="Stay")).to_be_focused()

    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert page.evaluate(UNSAVED) == 1
