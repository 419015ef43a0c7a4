"""What waits to be sent to one client: little, whatever the client and the server below do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from django.conf import settings

from api.messages import written

WAITING = 16
"""Messages that wait their turn; who makes more waits as well."""
WINDOW = 256 * 1024
"""Characters that may be on their way. Some servers, and proxies, keep whatever a slow reader has not taken yet. So
after as many the client is sent a ping: its pong, which comes after all it has read, opens the way again."""


class Gone(Exception):
    """The client does not read what it is sent. There is nobody to tell."""


class Outbox:
    """Sends messages one after the other, none faster than the client reads."""

    def __init__(self, send: Callable[[str], Awaitable[None]]) -> None:
        self._send = send
        self._waiting: asyncio.Queue[str] = asyncio.Queue(WAITING)
        self._unconfirmed = 0
        self._confirmed = asyncio.Event()

    async def put(self, message: str) -> None:
        """Send a message in its turn; waits while too many do."""
        await self._waiting.put(message)

    def confirm(self) -> None:
        """A pong has come: the client has read what was sent before the ping."""
        self._confirmed.set()

    async def run(self) -> None:
        """Send, until cancelled. Raises Gone when the client takes longer than GRAPHQL_SEND_SECONDS to read."""
        try:
            while True:
                message = await self._waiting.get()
                async with asyncio.timeout(settings.GRAPHQL_SEND_SECONDS):
                    await self._send(message)
                    self._unconfirmed += len(message)
                    if self._unconfirmed > WINDOW:
                        await self._wait_for_pong()
        except TimeoutError:
            raise Gone from None

    async def _wait_for_pong(self) -> None:
        self._confirmed.clear()
        await self._send(written("ping"))
        await self._confirmed.wait()
        self._unconfirmed = 0
