"""Which WebSocket handshakes are taken: those for an address that exists, from a page of ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.http.request import split_domain_port, validate_host

Application = Callable[[Any, Any, Any], Awaitable[None]]


class Refusal(AsyncWebsocketConsumer):
    """Refuses the handshake: the browser gets a 403, and nothing is logged."""

    async def connect(self) -> None:
        """Say no."""
        await self.close()


refuse: Application = Refusal.as_asgi()


class OurPagesOnly:
    """Refuses handshakes from pages of other sites, and of other programs on this machine.

    Cookies do not tell ports apart, so a host that is ours is not enough: the origin has to be the very host and port
    that the handshake is for, or, behind a server that changes those, BASE_URL.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand over to the application, or refuse."""
        application = self._application if is_from_our_page(scope["headers"]) else refuse
        await application(scope, receive, send)


def is_from_our_page(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether the handshake names one origin, and that is ours."""
    origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
    hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
    if len(origins) != 1 or len(hosts) != 1:
        return False
    if origins[0] in settings.CSRF_TRUSTED_ORIGINS:
        return True
    host, _port = split_domain_port(hosts[0])
    return _host_of(origins[0]) == hosts[0].lower() and validate_host(host, settings.ALLOWED_HOSTS)


def _host_of(origin: str) -> str | None:
    """Host and port of a web page's origin, else None."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return parts.netloc.lower() if parts.scheme in ("http", "https") else None
