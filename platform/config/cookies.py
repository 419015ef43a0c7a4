"""Cookies that no other host and no plain http can set: their names begin with `__Host-` where BASE_URL is https.

Browsers take such a cookie only with Secure, for the path / and without a domain (RFC 6265bis, section 4.1.3.2). So a
neighbour on another subdomain, or somebody in between, can't slip theirs to a person. Inside, and for processes of the
version before, cookies keep Django's names: this version reads both, and writes the old ones until no older process is
left (`contracts.rolling`). A cookie with an old name is then exchanged at the next answer, so nobody is signed out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http.cookies import Morsel
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts import known_device
from contracts import rolling

PREFIX = "__Host-"
SINCE = "0.3.0"
"""The first version that reads the new names."""
MESSAGES = "messages"
"""Django's cookie for a message to the next page."""


def are_prefixed() -> bool:
    """Whether cookies have the prefix once each process can read it; over plain http browsers refuse it."""
    return bool(settings.SESSION_COOKIE_SECURE)


def names() -> dict[str, int | None]:
    """The names by which the code knows our cookies, each with its life in seconds where an old one is exchanged."""
    return {
        settings.SESSION_COOKIE_NAME: settings.SESSION_COOKIE_AGE,
        settings.CSRF_COOKIE_NAME: settings.CSRF_COOKIE_AGE,
        known_device.COOKIE: known_device.DAYS * 86_400,
        MESSAGES: None,
    }


class HostCookies:
    """Gives cookies of both names to the code by their old ones, and sends them by the new ones."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not are_prefixed():
            return self.get_response(request)
        sent = dict(request.COOKIES)
        for name in names():
            if PREFIX + name in sent:
                request.COOKIES[name] = sent[PREFIX + name]
        response = self.get_response(request)
        if rolling.all_read(SINCE):
            _rename(response, sent)
        return response


def _rename(response: HttpResponse, sent: dict[str, str]) -> None:
    """Send what is set by the new names; what came by an old one alone comes by the new one from now on."""
    for name, age in names().items():
        morsel = response.cookies.pop(name, None)
        if morsel is not None:
            _set(response, name, morsel)
        elif name in sent and PREFIX + name not in sent and age is not None:
            is_hidden = name != settings.CSRF_COOKIE_NAME
            response.set_cookie(PREFIX + name, sent[name], age, secure=True, httponly=is_hidden, samesite="Lax")
        if name in sent:
            response.delete_cookie(name, samesite="Lax")


def _set(response: HttpResponse, name: str, morsel: Morsel[str]) -> None:
    new: Morsel[str] = Morsel()
    new.set(PREFIX + name, morsel.value, morsel.coded_value)
    new.update({**dict(morsel), "secure": True, "path": "/", "domain": ""})
    dict.__setitem__(response.cookies, PREFIX + name, new)


class HostCookiesOfSockets:
    """The same for the handshake of a WebSocket, which sets no cookies."""

    def __init__(self, application: Callable[[Any, Any, Any], Awaitable[None]]) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand over to the application, with cookies by the names that it knows."""
        if are_prefixed():
            headers = [(name, _by_old_names(value) if name == b"cookie" else value) for name, value in scope["headers"]]
            scope = {**scope, "headers": headers}
        await self._application(scope, receive, send)


def _by_old_names(header: bytes) -> bytes:
    """The header `Cookie` with our cookies under their old names; one that comes under both has the new one's value."""
    pairs = [pair.strip() for pair in header.split(b";")]
    prefixed = {pair.partition(b"=")[0] for pair in pairs if pair.startswith(PREFIX.encode())}
    kept = (pair for pair in pairs if PREFIX.encode() + pair.partition(b"=")[0] not in prefixed)
    ours = {(PREFIX + name).encode() for name in names()}
    return b"; ".join(pair[len(PREFIX) :] if pair.partition(b"=")[0] in ours else pair for pair in kept)
