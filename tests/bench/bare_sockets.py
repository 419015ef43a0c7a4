"""The floor of live reports: a server that holds sockets, and writes one message to all of them when it is asked."""

from __future__ import annotations

import asyncio
from typing import Any

MESSAGE = '{"type": "report.changed", "organisation": "' + "0" * 36 + '", "report": "' + "0" * 150 + '"}'
_sends: set[Any] = set()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application."""
    if scope["type"] == "websocket":
        await _hold(receive, send)
    else:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        await asyncio.gather(*[each({"type": "websocket.send", "text": MESSAGE}) for each in _sends])


async def _hold(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    _sends.add(send)
    while (await receive())["type"] != "websocket.disconnect":
        pass
    _sends.discard(send)
