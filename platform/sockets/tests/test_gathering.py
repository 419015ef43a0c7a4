"""What many sockets look up at the same time is looked up once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection

import pytest

from sockets.gathering import MOST, Gathered, until_next

pytestmark = pytest.mark.django_db(transaction=True)


class Library:
    """Looks words up, and notes for which it was asked at once. The first look-up waits until it may go on."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.may_go_on = threading.Event()
        self.has_begun = threading.Event()

    def look_up(self, words: Collection[str]) -> dict[str, int]:
        self.asked.append(sorted(words))
        self.has_begun.set()
        assert self.may_go_on.wait(30)
        if "broken" in words:
            raise LookupError("the page is missing")
        return {word: len(word) for word in words if word != "unknown"}

    async def begun(self) -> None:
        assert await asyncio.to_thread(self.has_begun.wait, 30)


async def test_who_asks_during_a_look_up_waits_for_the_next_with_all_others() -> None:
    library = Library()
    words = Gathered(library.look_up)
    first = asyncio.create_task(words.ask("a"))
    await library.begun()
    others = [asyncio.create_task(words.ask(word)) for word in ("a", "bb", "bb", "unknown")]
    await asyncio.sleep(0)
    library.may_go_on.set()

    assert await first == 1
    assert await asyncio.gather(*others) == [1, 2, 2, None]
    assert library.asked == [["a"], ["a", "bb", "unknown"]]


async def test_those_who_ask_at_the_same_moment_make_one_look_up() -> None:
    library = Library()
    library.may_go_on.set()
    words = Gathered(library.look_up)

    assert await asyncio.gather(*(words.ask("x" * length) for length in range(1, 5))) == [1, 2, 3, 4]
    assert library.asked == [["x", "xx", "xxx", "xxxx"]]


async def test_a_look_up_has_a_largest_size() -> None:
    library = Library()
    library.may_go_on.set()
    words = Gathered(library.look_up)

    await asyncio.gather(*(words.ask(f"{number}") for number in range(MOST + 1)))

    assert [len(asked) for asked in library.asked] == [MOST, 1]


async def test_an_error_reaches_all_who_asked_and_nobody_after_them() -> None:
    library = Library()
    library.may_go_on.set()
    words = Gathered(library.look_up)

    found = await asyncio.gather(words.ask("broken"), words.ask("a"), return_exceptions=True)

    assert [str(error) for error in found] == ["the page is missing"] * 2
    assert await words.ask("a") == 1


async def test_who_leaves_does_not_take_the_answer_from_others() -> None:
    library = Library()
    words = Gathered(library.look_up)
    leaves, stays = asyncio.create_task(words.ask("a")), asyncio.create_task(words.ask("a"))
    await library.begun()
    leaves.cancel()
    library.may_go_on.set()

    assert await stays == 1
    assert leaves.cancelled()


async def test_sockets_look_again_at_the_same_moments() -> None:
    loop = asyncio.get_running_loop()
    first = loop.time() + until_next(3600)
    await asyncio.sleep(0.01)
    second = loop.time() + until_next(3600)

    assert second == pytest.approx(first, abs=0.001)
    assert 0 < until_next(0.5) <= 0.5
