"""One story: somebody switches the second factor on, is asked for it, loses the phone, and gets in all the same."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Server
from tests.second_factor import open_switch_on, sign_in, switch_on

pytestmark = [pytest.mark.browser, pytest.mark.process]


def test_a_person_switches_it_on_signs_in_with_it_and_off_again(page: Page, server: Server) -> None:
    person = server.person(f"alice-{uuid4().hex}@example.org")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    sign_in(page, person)
    open_switch_on(page, person)
    picture = page.get_by_role("img", name="QR code")
    assert picture.evaluate("picture => picture.complete && picture.naturalWidth > 0")

    codes = switch_on(page)
    assert len(codes) == 10
    with page.expect_download() as download:
        page.get_by_role("link", name="Download them").click()
    assert Path(download.value.path()).read_text().splitlines()[2:] == codes

    page.get_by_role("button", name="Account").click()
    page.locator("#account-menu").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    sign_in(page, person)
    page.get_by_label("Code").fill("000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("This code is wrong or has expired.")
    page.goto("/questionnaires/")
    page.wait_for_url("**/accounts/2fa/authenticate/")
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/questionnaires/")

    page.goto("/accounts/2fa/")
    expect(page.get_by_role("main")).to_contain_text("You have 9 recovery codes left")
    page.get_by_role("link", name="Switch it off").click()
    page.get_by_role("link", name="Use a code instead").click()
    page.get_by_label("Code").fill(codes[1])
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("button", name="Switch it off").click()
    expect(page.get_by_role("status")).to_have_text("Your second factor is off.")

    assert complaints == []
    subjects = [mail["Subject"] for mail in server.mails(person.email, least=2)]
    assert subjects == ["Your second factor is on", "Your second factor is off"]
    assert not any(code in server.output() for code in codes)
