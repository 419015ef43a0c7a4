"""A WebSocket client for tests. That of Channels can't be imported without daphne, which we don't run."""

from __future__ import annotations

from typing import Any

from asgiref.testing import ApplicationCommunicator
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.conf import settings
from django.test import Client

from reports.routing import websocket_urlpatterns

application = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))  # type: ignore[arg-type]  # see reports.routing


class Socket:
    """The live socket with the session of a test client."""

    def __init__(self, client: Client) -> None:
        cookie = client.cookies.get(settings.SESSION_COOKIE_NAME)
        headers = [(b"cookie", f"{cookie.key}={cookie.value}".encode())] if cookie else []
        scope = {"type": "websocket", "path": "/ws/reports/", "headers": headers, "subprotocols": []}
        communicator: Any = ApplicationCommunicator
        self._server = communicator(application, scope)

    async def connect(self) -> tuple[bool, int | None]:
        """Whether the server accepted, and the close code where it did not."""
        await self._server.send_input({"type": "websocket.connect"})
        answer = await self._next()
        return answer["type"] == "websocket.accept", answer.get("code")

    async def say(self, text: str) -> None:
        await self._server.send_input({"type": "websocket.receive", "text": text})

    async def hear(self) -> str:
        """The next text from the server."""
        message = await self._next()
        assert message["type"] == "websocket.send", message
        return str(message["text"])

    async def close_code(self) -> int:
        """The code with which the server closes, after whatever it still says."""
        while (message := await self._next())["type"] != "websocket.close":
            pass
        return int(message["code"])

    async def is_silent(self, seconds: float = 0.1) -> bool:
        return bool(await self._server.receive_nothing(timeout=seconds))

    async def wait(self) -> None:
        """Wait until the server is through with it by itself."""
        await self._server.wait(timeout=5)

    async def disconnect(self) -> None:
        await self._server.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._server.wait(timeout=5)

    async def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = await self._server.receive_output(timeout=5)
        return message
