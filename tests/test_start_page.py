"""The first thing a person sees, in a real browser under the real policy."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from .conftest import Server

pytestmark = pytest.mark.browser


def test_the_start_page_opens_without_a_complaint_of_the_browser(page: Page) -> None:
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("console", note)

    page.goto("/")

    expect(page.get_by_role("main")).to_be_visible()
    expect(page).to_have_title(re.compile("Plumbline"))
    assert complaints == []


def test_a_person_who_is_signed_in_sees_the_questionnaires(server: Server, context: BrowserContext, page: Page) -> None:
    server.person("dora@example.org").sign_in(context)

    page.goto("/questionnaires/")

    expect(page.get_by_role("heading", name="Security quick check")).to_be_visible()
