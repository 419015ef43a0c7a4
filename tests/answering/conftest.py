"""A server that offers the small questionnaire, two colleagues, and a draft that one of them has open."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.answering.steps import OpenTab
from tests.conftest import Person, Server

OFFER_SMALL_CHECK = """
from answers.tests.small import DEFINITION
from questionnaires import library
from questionnaires.definition import from_canonical
library.store(from_canonical(DEFINITION))
"""


@pytest.fixture(scope="session")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of these tests' own, for the small questionnaire is offered on it."""
    server = Server(tmp_path_factory.mktemp("answering") / "data")
    server.start()
    offered = server.manage("shell", "--no-imports", "-c", OFFER_SMALL_CHECK)
    assert offered.returncode == 0, offered.stderr
    yield server
    server.stop()


@pytest.fixture
def tab(small_server: Server, browser: Browser) -> Iterator[OpenTab]:
    """Opens a tab of a browser of its own, signed in."""
    contexts: list[BrowserContext] = []

    def open_tab(person: Person) -> Page:
        context = browser.new_context(base_url=small_server.url)
        contexts.append(context)
        person.sign_in(context)
        return context.new_page()

    yield open_tab
    for context in contexts:
        context.close()


@pytest.fixture
def alice(small_server: Server, request: pytest.FixtureRequest) -> Person:
    return small_server.person(f"alice-{uuid4().hex}@example.org", request.node.name, name="Alice")


@pytest.fixture
def bob(small_server: Server, alice: Person, request: pytest.FixtureRequest) -> Person:
    return small_server.person(f"bob-{uuid4().hex}@example.org", request.node.name, name="Bob")


@pytest.fixture
def page(tab: OpenTab, alice: Person) -> Page:
    """The controls of a draft that Alice has just started."""
    page = tab(alice)
    page.goto("/questionnaires/")
    page.get_by_role("button", name="Start Small check").click()
    page.get_by_role("link", name="Controls").click()
    return page


@pytest.fixture
def bobs(page: Page, tab: OpenTab, bob: Person) -> Page:
    """The same page in Bob's browser."""
    bobs = tab(bob)
    bobs.goto(page.url)
    return bobs
