"""Counts the WebSockets that are open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from operations import counters

Application = Callable[[Any, Any, Any], Awaitable[None]]


class CountedSockets:
    """Counts a socket from its being accepted to the end of its consumer."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        is_open = False

        async def counting_send(message: Any) -> None:
            nonlocal is_open
            await send(message)
            if message["type"] == "websocket.accept" and not is_open:
                is_open = True
                counters.socket_opened()

        try:
            await self._application(scope, receive, counting_send)
        finally:
            if is_open:
                counters.socket_closed()
