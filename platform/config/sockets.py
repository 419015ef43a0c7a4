"""Which WebSocket handshakes are taken: those for an address that exists, from a page of ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from api import origins

Application = Callable[[Any, Any, Any], Awaitable[None]]


class Refusal(AsyncWebsocketConsumer):
    """Refuses the handshake: the browser gets a 403, and nothing is logged."""

    async def connect(self) -> None:
        """Say no."""
        await self.close()


refuse: Application = Refusal.as_asgi()


class OurPagesOnly:
    """Refuses handshakes from pages of other sites, and of other programs on this machine.

    Cookies do not tell ports apart, so a host that is ours is not enough: the origin has to be the very scheme, host
    and port that the handshake is for, or, behind a server that changes those, BASE_URL.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand over to the application, or refuse."""
        _origin, is_ours = origins.of_handshake(scope)
        application = self._application if is_ours else refuse
        await application(scope, receive, send)
