"""A consultant with two clients: two tabs, two organisations, and nothing goes from one to the other. In Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.process]

JOIN = """
from accounts.models import Organisation, User
User.objects.get(email={email!r}).join(Organisation.objects.create(name={name!r}))
"""
LEAVE = """
from accounts.models import Membership
Membership.objects.filter(user__email={email!r}, organisation__name={name!r}).delete()
"""


class Consultant:
    """Alice, with the bakery as her first client and the carpenter as her second."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.email = f"alice-{uuid4().hex}@example.org"
        self.bakery, self.carpenter = f"Bakery {uuid4().hex[:8]}", f"Carpenter {uuid4().hex[:8]}"
        self.person = server.person(self.email, self.bakery, name="Alice")
        self.run(JOIN, self.carpenter)

    def run(self, script: str, name: str) -> None:
        result = self.server.manage("shell", "--no-imports", "-c", script.format(email=self.email, name=name))
        assert result.returncode == 0, result.stderr


@pytest.fixture
def consultant(server: Server) -> Consultant:
    return Consultant(server)


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def context(
    request: pytest.FixtureRequest, server: Server, browser: Browser, consultant: Consultant
) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=server.url, java_script_enabled=request.param)
    consultant.person.sign_in(context)
    yield context
    context.close()


def choose(page: Page, name: str) -> None:
    page.get_by_role("banner").get_by_role("button", name="Organisation").click()
    page.locator("#organisation-menu").get_by_role("link", name=name).click()


def expect_name(page: Page, name: str) -> None:
    expect(page.locator(".site-organisation-name")).to_have_text(name)


def test_two_tabs_of_two_organisations_stay_apart(context: BrowserContext, consultant: Consultant) -> None:
    first, second = context.new_page(), context.new_page()
    first.goto("/questionnaires/")
    expect_name(first, consultant.bakery)
    second.goto("/reports/")
    choose(second, consultant.carpenter)
    expect_name(second, consultant.carpenter)
    expect(second).to_have_url(re.compile("/reports/"))

    # The second tab chose last; the first goes on where it is.
    first.get_by_role("button", name="Start Security quick check").click()
    expect(first).to_have_url(re.compile("/submissions/"))
    expect_name(first, consultant.bakery)
    expect(first).to_have_title(re.compile(re.escape(consultant.bakery)))

    second.get_by_role("link", name="Questionnaires", exact=True).click()
    expect_name(second, consultant.carpenter)
    expect(second.get_by_text("Nothing yet.")).to_be_visible()
    second.get_by_role("button", name="Start Security quick check").click()
    expect_name(second, consultant.carpenter)

    first.get_by_role("link", name="All questionnaires").click()
    expect_name(first, consultant.bakery)
    first.get_by_role("link", name="Reports", exact=True).click()
    expect_name(first, consultant.bakery)


def test_the_pages_of_the_account_do_not_leave_the_organisation(
    context: BrowserContext, consultant: Consultant
) -> None:
    first, second = context.new_page(), context.new_page()
    first.goto("/questionnaires/")
    second.goto("/questionnaires/")
    choose(second, consultant.carpenter)

    first.get_by_role("button", name="Account").click()
    first.locator("#account-menu").get_by_role("link", name="Password").click()
    expect_name(first, consultant.bakery)
    first.get_by_label("Current password").fill("not this one")
    first.get_by_role("main").locator("[type=submit]").first.click()

    expect_name(first, consultant.bakery)


def test_a_tab_of_an_organisation_that_one_was_taken_out_of_says_so(
    context: BrowserContext, consultant: Consultant
) -> None:
    page = context.new_page()
    page.goto("/questionnaires/")
    choose(page, consultant.carpenter)
    expect_name(page, consultant.carpenter)
    consultant.run(LEAVE, consultant.carpenter)

    page.get_by_role("button", name="Start Security quick check").click()

    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    expect(page.get_by_text("an organisation that you are not in")).to_be_visible()
    page.goto("/questionnaires/")
    expect(page.get_by_text("You are no longer in the organisation that you chose last.")).to_be_visible()


def test_an_open_list_of_reports_says_that_one_was_taken_out_of_its_organisation(
    server: Server, browser: Browser, consultant: Consultant
) -> None:
    context = browser.new_context(base_url=server.url)
    consultant.person.sign_in(context)
    page = context.new_page()
    page.goto("/reports/")
    choose(page, consultant.carpenter)
    expect(page.locator("[data-live-status]").first).to_have_text("Live")
    consultant.run(LEAVE, consultant.carpenter)

    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    expect(page.get_by_text(f"You are no longer in {consultant.carpenter}")).to_be_visible()
    context.close()
