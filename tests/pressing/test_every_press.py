"""Each submit button of each page answers a press, in whatever state the network, the server and the session are.

`make test` presses each button in one state, and each state has a button. `make test-long` presses each in all of them.
The states that only a page of questions has (a save under way, a reason missing, a conflict) are in
tests/answering/test_pressing.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TypeVar
from uuid import uuid4

import pytest
from playwright.sync_api import Browser

from tests.conftest import Server
from tests.pressing.buttons import EMPTY, FILL, SILENT, Name, Place, Presser
from tests.pressing.pages import all_pages
from tests.pressing.proxy import Proxy

pytestmark = [pytest.mark.browser, pytest.mark.process]

OUT_OF_ORDER = {"status": 503, "headers": {"x-made-by-the-test": "yes"}, "body": "<h1>Out of order</h1>"}
Answers = dict[tuple[str, Name], str]
T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """A server with all pages that have forms, and the session of somebody who has nothing to do with them."""

    presser: Presser
    proxy: Proxy
    places: list[Place]
    stranger: str


Change = Callable[[Presser, World], None]


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[World]:
    """It is a test's own: the buttons change it."""
    server = Server(tmp_path_factory.mktemp("pressing") / "data")
    server.start()
    places = all_pages(server, browser)
    stranger = server.person(f"bob-{uuid4().hex}@example.org", f"Bob's {uuid4().hex}", name="Bob").session_key
    with Proxy(server.port) as proxy:
        context = browser.new_context(base_url=proxy.url)
        yield World(Presser(server, context), proxy, places, stranger)
        context.close()
    server.stop()


def buttons(world: World) -> list[tuple[Place, list[Name]]]:
    """Each kind of button with the page on which it is pressed. Signing out comes last: it ends the session."""
    seen: set[Name] = set()
    found: list[tuple[Place, list[Name]]] = []
    for place in world.places:
        new = [name for name in world.presser.open(place) if name not in seen]
        seen.update(new)
        found.append((place, [name for name in new if name[2] != "Sign out"]))
        found.append((place, [name for name in new if name[2] == "Sign out"]))
    assert len(seen) > 35, sorted(seen)
    found.sort(key=lambda pair: any(name[2] == "Sign out" for name in pair[1]))
    return [pair for pair in found if pair[1]]


def silent(answers: Mapping[T, str]) -> dict[T, str]:
    """Those that are none."""
    return {case: answer for case, answer in answers.items() if answer.startswith(SILENT)}


@pytest.mark.long
def test_each_press_is_answered_while_the_server_can_not_be_reached(world: World) -> None:
    presser = world.presser
    answers: Answers = {}

    for place, names in buttons(world):
        here = presser.open(place)
        for name in names:
            if presser.do(EMPTY, here[name]):
                answers["incomplete", name] = presser.press(here[name])
        for name in names:
            presser.do(FILL, here[name])
        presser.context.set_offline(True)
        for name in names:
            answers["offline", name] = presser.press(here[name])
            answers["offline again", name] = presser.press(here[name])
        presser.leave()
        here = presser.open(place)
        world.proxy.is_dead = True
        for name in names:
            presser.do(FILL, here[name])
            answers["no answer", name] = presser.press(here[name])
        presser.leave()
        world.proxy.is_dead = False

    assert {state for state, _ in answers} == {"incomplete", "offline", "offline again", "no answer"}
    assert silent(answers) == {}


def be_offline(presser: Presser, world: World) -> None:
    presser.context.set_offline(True)


def get_no_answer(presser: Presser, world: World) -> None:
    world.proxy.is_dead = True


def refuse(presser: Presser, world: World) -> None:
    presser.page.route("**/*", lambda route: route.fulfill(**OUT_OF_ORDER))


def sign_out(presser: Presser, world: World) -> None:
    presser.be("")


def be_somebody_else(presser: Presser, world: World) -> None:
    presser.be(world.stranger)


def change_nothing(presser: Presser, world: World) -> None:
    pass


@pytest.mark.long
@pytest.mark.parametrize("change", [refuse, sign_out, be_somebody_else, change_nothing], ids=lambda each: each.__name__)
def test_each_press_is_answered(world: World, change: Change) -> None:
    answers = press_each(world, (change,))

    assert silent(answers) == {}
    assert world.presser.faults == []


def test_each_press_is_answered_in_some_state(world: World) -> None:
    states = (be_offline, get_no_answer, refuse, be_somebody_else, change_nothing, sign_out)

    answers = press_each(world, states)

    assert len(answers) > 35
    assert silent(answers) == {}
    assert world.presser.faults == []


def press_each(world: World, changes: Sequence[Change]) -> dict[Name, str]:
    """What the pages answer where each button is pressed once, each after the next change in turn, whose name is the
    last part of the button's."""
    presser, turn = world.presser, cycle(changes)
    answers: dict[Name, str] = {}
    for place, names in buttons(world):
        for name in names:
            here = presser.open(place)
            presser.do(FILL, here[name])
            change = next(turn)
            change(presser, world)
            answers[(*name, change.__name__)] = presser.press(here[name])
            presser.leave()
            world.proxy.is_dead = False
    return answers
