"""Where the sockets of one process hear of hints: one channel for all of them, and one reader.

With a channel of its own each of 200 tabs had to be woken up for each hint, which took longer than telling it. Here a
hint costs a tab one entry in a list (`reports.merging`), and a message some times a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

from reports.live import group_of
from reports.merging import Hint


class Listener(Protocol):
    """A socket."""

    def put(self, hint: Hint) -> None:
        """Take a hint; must not wait."""
        ...


class Hub:
    """The listeners of one event loop, by the group that they hear."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self._listeners: dict[str, set[Listener]] = {}
        self._changing = asyncio.Lock()
        self._channel = ""
        self._reading: asyncio.Task[None] | None = None

    async def join(
        self, listener: Listener, organisations: Iterable[UUID], before: frozenset[str] = frozenset()
    ) -> frozenset[str]:
        """Let a listener hear of these organisations, and no longer of others whose groups it joined before.

        Joins again what it had joined: a layer drops a channel that did not read for a while from its groups.
        """
        groups = frozenset(map(group_of, organisations))
        async with self._changing:
            for group in groups:
                self._listeners.setdefault(group, set()).add(listener)
            for group in before - groups:
                await self._leave(group, listener)
            if groups:
                await self._read_all()
                for group in groups:
                    await self.layer.group_add(group, self._channel)
            if not self._listeners:
                await self._stop()
        return groups

    async def _leave(self, group: str, listener: Listener) -> None:
        listeners = self._listeners.get(group, set())
        listeners.discard(listener)
        if not listeners:
            self._listeners.pop(group, None)
            if self._channel:
                await self.layer.group_discard(group, self._channel)

    async def _read_all(self) -> None:
        """Have a reader. One that gave up has left its channel: then the others' groups are joined again, too."""
        if self._reading is not None and not self._reading.done():
            return
        self._channel = await self.layer.new_channel("hub")  # the settings know it by this name
        self._reading = asyncio.create_task(self._read(self._channel))
        for group in self._listeners:
            await self.layer.group_add(group, self._channel)

    async def _stop(self) -> None:
        reading, self._reading, self._channel = self._reading, None, ""
        if reading is not None:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading

    async def _read(self, channel: str) -> None:
        while True:
            hint = await self.layer.receive(channel)
            # Anything else is a newer version's, during an upgrade.
            if hint["type"] == "report.changed":
                for listener in self._listeners.get(group_of(hint["organisation"]), ()):
                    listener.put(hint)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub(layer: Any) -> Hub:
    """That of the loop at work, on its layer."""
    loop = asyncio.get_running_loop()
    found = _hubs.get(loop)
    if found is None or found.layer is not layer:
        found = _hubs[loop] = Hub(layer)
    return found
