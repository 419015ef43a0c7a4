"""Channels' in-memory layer, made safe for worker threads."""

from __future__ import annotations

import asyncio
import time
from copy import deepcopy
from typing import Any

from channels.layers import InMemoryChannelLayer


class ThreadSafeInMemoryChannelLayer(InMemoryChannelLayer):
    """Queues belong to the loop of the sockets; whatever another thread sends is handed over to that loop.

    Without it a message put by a worker's thread does not wake the sockets' loop: it arrives with the next
    traffic, or never.
    """

    CLEANING_INTERVAL = 1.0
    """Seconds: looking for expired messages walks every channel, which is too much for each receive."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The layer of Channels takes this argument and can't read it: it expects what this makes of it.
        capacities: Any = self.compile_capacities(self.channel_capacity or {})
        self.channel_capacity = capacities
        self._home: asyncio.AbstractEventLoop | None = None
        self._next_cleaning = 0.0

    async def new_channel(self, prefix: str = "specific.") -> str:
        self._home = asyncio.get_running_loop()
        return str(await super().new_channel(prefix))

    async def receive(self, channel: str) -> Any:
        self._home = asyncio.get_running_loop()
        return await super().receive(channel)

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        """Put a message on one channel; raises ChannelFull."""
        home = self._foreign_home()
        if home is None:
            await super().send(channel, message)
        else:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(super().send(channel, message), home))

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Put a message on each channel of a group that has room; does not wait for another thread's loop."""
        self.post(group, message)

    def post(self, group: str, message: dict[str, Any]) -> None:
        """The same from code that is not on any loop: a thread of the worker needs no loop of its own for it."""
        self.require_valid_group_name(group)
        home = self._foreign_home()
        if home is None:
            self._put_to_group(group, message)
        else:
            home.call_soon_threadsafe(self._put_to_group, group, deepcopy(message))

    def _foreign_home(self) -> asyncio.AbstractEventLoop | None:
        """The sockets' loop where it is not the running one."""
        home = self._home
        if home is None or home.is_closed() or home is _running_loop():
            return None
        return home

    def _put_to_group(self, group: str, message: dict[str, Any]) -> None:
        self._clean_expired()
        for channel in list(self.groups.get(group, ())):
            queue = self.channels.get(channel)
            if queue is None:
                queue = self.channels[channel] = asyncio.Queue(maxsize=self.get_capacity(channel))
            if not queue.full():
                queue.put_nowait((time.time() + self.expiry, message.copy()))

    def _clean_expired(self) -> None:
        now = time.monotonic()
        if now >= self._next_cleaning:
            self._next_cleaning = now + self.CLEANING_INTERVAL
            super()._clean_expired()  # type: ignore[misc]  # private, so the stubs leave it out


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
