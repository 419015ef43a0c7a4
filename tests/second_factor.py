"""Signing in with two factors, as a person does it in a browser."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Page

from accounts.tests.phone import code_for_a_server
from tests.embedded import Person


def sign_in(page: Page, person: Person) -> None:
    """Enter address and password."""
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile("/questionnaires/|/2fa/authenticate/"))


def open_switch_on(page: Page, person: Person) -> None:
    """Go by the menu to where it is switched on; the password is asked for once more."""
    page.get_by_role("button", name="Account").click()
    page.get_by_role("link", name="Second factor").click()
    page.get_by_role("link", name="Switch it on").click()
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("heading", name="Switch the second factor on").wait_for()


def switch_on(page: Page) -> list[str]:
    """Type the secret into an app and its code into the page; gives the recovery codes that are shown then."""
    page.get_by_text("scan it?").click()
    secret = page.locator(".secret").inner_text()
    page.get_by_label("Code", exact=True).fill(code_for_a_server(secret))
    page.get_by_role("button", name="Switch it on").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    return page.locator(".recovery-codes li").all_inner_texts()


def session_of(context: BrowserContext) -> str:
    """The value of the session's cookie."""
    return next(str(cookie["value"]) for cookie in context.cookies() if cookie["name"] == "sessionid")
