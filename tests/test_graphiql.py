"""GraphiQL in a real browser, under the real policy: it asks by the cookie of the person who is signed in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from .conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.process]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the schema of the API's own tests."""
    folder = tmp_path_factory.mktemp("graphiql") / "data"
    server = Server(folder, DJANGO_SETTINGS_MODULE="api.tests.server_settings")
    server.start()
    yield server
    server.stop()


def enter(page: Page, operation: str) -> None:
    page.locator(".graphiql-query-editor .CodeMirror").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(operation)


def execute_until(page: Page, wanted: str) -> None:
    """Execute, again where GraphiQL had not yet read what was entered."""
    for _attempt in range(10):
        page.locator(".graphiql-execute-button").click()
        try:
            expect(page.locator(".result-window")).to_contain_text(wanted, timeout=2000)
        except AssertionError:
            continue
        return
    raise AssertionError(page.locator(".result-window").inner_text())


def test_a_query_a_mutation_and_a_subscription_are_executed_without_a_complaint_of_the_browser(
    api: Server, context: BrowserContext, page: Page
) -> None:
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("console", note)
    api.person("dora@example.org").sign_in(context)

    page.goto(f"{api.url}/graphql")
    enter(page, "{ email }")
    execute_until(page, '"email": "dora@example.org"')
    enter(page, 'mutation { rename(name: "Theodora") { name } }')
    execute_until(page, '"name": "Theodora"')
    enter(page, "subscription { count(to: 3) }")
    execute_until(page, '"count": 3')

    assert complaints == []


def test_a_stranger_is_led_to_the_login(api: Server, page: Page) -> None:
    page.goto(f"{api.url}/graphql")

    expect(page).to_have_url(f"{api.url}/accounts/login/?next=/graphql")


def test_a_subscription_that_is_silent_says_what_it_waits_for(
    server: Server, context: BrowserContext, page: Page
) -> None:
    server.person("silent@example.org", "Silent").sign_in(context)
    page.goto(f"{server.url}/graphql")
    enter(page, "subscription { reportChanged { kind } }")

    execute_until(page, "Messages appear here when something happens")
