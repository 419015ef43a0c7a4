"""What people do on a page of questions, and what they see there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, Request, Response, Route, expect

from tests.conftest import Person

OpenTab = Callable[[Person], Page]
SAVED = re.compile(r"^Saved \d\d:\d\d UTC$")
CLEARED = re.compile(r"^Cleared \d\d:\d\d UTC$")


def question(page: Page, name: str) -> Locator:
    return page.locator(f'[data-question="{name}"]')


def radio(page: Page, name: str, value: str) -> Locator:
    return question(page, name).locator(f'input[type=radio][value="{value}"]')


def choose(page: Page, name: str, value: str) -> None:
    question(page, name).locator(f'input[value="{value}"]').check()


def state(page: Page, name: str) -> Locator:
    return question(page, name).locator("[data-save-state]")


def conflict(page: Page, name: str) -> Locator:
    return question(page, name).locator("[data-conflict]")


def kept(page: Page, name: str) -> Locator:
    return question(page, name).locator("[data-kept]")


def field(page: Page, name: str, part: str = "value") -> Locator:
    return question(page, name).locator(f'[name="{name}:{part}"]')


def note(page: Page, name: str) -> Locator:
    """The field of the note, unfolded."""
    question(page, name).locator("details.note").evaluate("details => { details.open = true; }")
    return field(page, name, "note")


def pressed(page: Page) -> Locator:
    """What the page says of a button that was pressed."""
    return page.locator("[data-press-state]")


def section(page: Page, name: str) -> str:
    """The address of another page of the same draft."""
    return re.sub(r"sections/.*", f"sections/{name}/", page.url)


def overview(page: Page) -> str:
    return re.sub(r"(/submissions/[0-9a-f-]+/).*", r"\1", page.url)


def is_save(exchange: Request | Response) -> bool:
    request = exchange if isinstance(exchange, Request) else exchange.request
    return request.method == "POST" and request.url.endswith("/answers/")


def saves(page: Page) -> list[Request]:
    """The saves that the page sends from now on."""
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if is_save(request) else None)
    return sent


def values(sent: list[Request]) -> list[object]:
    """The answers in these saves."""
    return [_posted(request)["changes"][0].get("value", "unchanged") for request in sent]


def _posted(request: Request) -> dict[str, Any]:
    assert isinstance(request.post_data_json, dict)
    return request.post_data_json


def answer_all(page: Page) -> None:
    """From the controls to the last page of the small check, with an answer to all that is needed."""
    for name, value in (("mfa", "L"), ("backup", "L"), ("plan", "full")):
        choose(page, name, value)
        expect(state(page, name)).to_have_text(SAVED)
    page.goto(section(page, "about"))
    choose(page, "exposed", "no")
    expect(state(page, "exposed")).to_have_text(SAVED)


def refuse_saves(page: Page, status: int = 503) -> None:
    """Until `page.unroute("**/answers/")` nothing can be saved."""
    page.route("**/answers/", lambda route: route.fulfill(status=status))


def hold_saves(page: Page) -> Callable[[], None]:
    """Nothing is heard of a save until the function given is called."""
    return _hold(page, "**/answers/", "POST")


def hold_scripts(page: Page) -> Callable[[], None]:
    """A page has no script until the function given is called."""
    return _hold(page, "**/*.js", "GET")


def _hold(page: Page, addresses: str, method: str) -> Callable[[], None]:
    held: list[Route] = []
    is_open: list[bool] = []

    def hold(route: Route) -> None:
        if route.request.method != method or is_open:
            route.fallback()
        else:
            held.append(route)

    def let_go() -> None:
        is_open.append(True)
        for route in held:
            route.continue_()

    page.route(addresses, hold)
    return let_go
