"""Look-ups that many sockets need at the same moment, made for all of them at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Hashable, Mapping
from contextvars import Context
from itertools import islice
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sockets.threads import in_thread

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")

MOST = 500
"""Keys of one look-up: databases take no statement of any length."""


class Gathered(Generic[Key, Found]):
    """A look-up by key that is made for all who want one now.

    Who asks while one is at work waits for the next, together with everybody else who does. So one socket alone waits
    for nobody, a thousand make a few look-ups, and nobody is told what was found before they asked.
    """

    def __init__(self, load: Callable[[Collection[Key]], Mapping[Key, Found]]) -> None:
        """`load` is called in a thread, for one look-up after the other; what it leaves out is None."""
        self._load = load
        self._desks: WeakKeyDictionary[asyncio.AbstractEventLoop, _Desk[Key, Found]] = WeakKeyDictionary()

    async def ask(self, key: Key) -> Found | None:
        """What is found for this key, by a look-up that begins after this call. Raises what the look-up raises.

        Who asks for an equal key at the same time gets the very same object.
        """
        loop = asyncio.get_running_loop()
        desk = self._desks.get(loop)
        if desk is None:
            desk = self._desks[loop] = _Desk(self._load)
        # One who leaves must not take the answer from others.
        return await asyncio.shield(desk.ask(key))


class _Desk(Generic[Key, Found]):
    """Who waits, on one loop."""

    def __init__(self, load: Callable[[Collection[Key]], Mapping[Key, Found]]) -> None:
        self._load = load
        self._waiting: dict[Key, asyncio.Future[Found | None]] = {}
        self._working: asyncio.Task[None] | None = None

    def ask(self, key: Key) -> asyncio.Future[Found | None]:
        loop = asyncio.get_running_loop()
        if key not in self._waiting:
            self._waiting[key] = loop.create_future()
        if self._working is None:
            # In a context of its own: what is looked up belongs to no single operation.
            self._working = loop.create_task(self._work(), context=Context())
        return self._waiting[key]

    async def _work(self) -> None:
        try:
            while self._waiting:
                asked = {key: self._waiting.pop(key) for key in list(islice(self._waiting, MOST))}
                await self._answer(asked)
        finally:
            self._working = None

    async def _answer(self, asked: Mapping[Key, asyncio.Future[Found | None]]) -> None:
        try:
            found = await in_thread(self._load, asked.keys())
        except Exception as error:
            for future in asked.values():
                future.set_exception(error)
                # All who waited may have left; then nobody looks at it.
                future.exception()
        else:
            for key, future in asked.items():
                future.set_result(found.get(key))


def until_next(seconds: float) -> float:
    """Seconds until the next moment of a clock that ticks so often, the same for all sockets of a process.

    Who looks again at these moments finds the others there, and all are served by one look-up.
    """
    return seconds - asyncio.get_running_loop().time() % seconds
