"""Reading the bodies of requests: no more than their view takes, not for ever, and not more of all of them than fits.

A form, a save and an operation come in a few kilobytes. A peer that sends more, or never ends, would else fill the
memory with it before any view could refuse it. See docs/adr/0028-cost-of-strangers.md.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from io import BytesIO, RawIOBase
from typing import IO, Any, cast

from django.conf import settings
from django.core.exceptions import RequestAborted, RequestDataTooBig
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from sockets.addresses import address_of

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

SLOWEST = 16 * 1024
"""Bytes a second that a body has to bring besides BODY_SECONDS: a large form over a poor line has the time it needs."""
SHARE = 4
"""An address may have a part of BODY_ROOM, as one of so many."""
LINGER_BYTES = 4 * 1024 * 1024
LINGER_SECONDS = 2.0
"""How much of a refused body is still taken, and thrown away: browsers read an answer only once they have sent what
they meant to send, and else tell the person of a broken connection."""


def limit_of(path: str) -> int:
    """Bytes that the view of this path takes: what its name is given here, else MAX_BODY."""
    try:
        name = resolve(path).view_name
    except Resolver404:
        name = ""
    return _limits().get(name, settings.MAX_BODY)


def _limits() -> dict[str, int]:
    # A section without JavaScript sends every text and note of all its questions, each letter as up to twelve bytes.
    return {"graphql": settings.GRAPHQL_MAX_BODY, "submission-section": settings.DATA_UPLOAD_MAX_MEMORY_SIZE}


class Refused(Exception):
    """The body can't be taken now, whatever is in it."""

    def __init__(self, status: HTTPStatus, message: str, **headers: str) -> None:
        super().__init__(status)
        self.status, self.message, self.headers = status, message, headers


class TooLarge(RawIOBase):
    """In the place of a body that is larger than its view takes: the view that wants to read it refuses it, as a page,
    as JSON or as an error of GraphQL."""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Never gives anything: raises RequestDataTooBig."""
        raise RequestDataTooBig("The body is larger than its view takes.")


def is_too_large(request: HttpRequest) -> bool:
    """Whether the request's body was not read, for it is larger than its view takes."""
    return isinstance(getattr(request, "_stream", None), TooLarge)


class Room:
    """The bytes of all bodies that are kept at the moment, in this process. Belongs to the loop's thread."""

    def __init__(self) -> None:
        self._taken = 0
        self._by_address: Counter[str] = Counter()

    @contextmanager
    def share(self, scope: Any) -> Iterator[Share]:
        """The part of one request, given back at the end."""
        share = Share(self, scope)
        try:
            yield share
        finally:
            self.give_back(share)

    def take(self, share: Share, size: int) -> None:
        """Raises Refused where there is no room for so many bytes more, or none for this address."""
        taken, mine = self._taken + size, self._by_address[share.address] + size
        if taken > settings.BODY_ROOM or mine > settings.BODY_ROOM // SHARE:
            message = "The server is reading too much at the moment. Send it again in a few seconds."
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, message, **{"Retry-After": "5"})
        self._taken, self._by_address[share.address] = taken, mine
        share.size += size

    def give_back(self, share: Share) -> None:
        """Keep nothing of it any longer."""
        self._taken -= share.size
        self._by_address[share.address] -= share.size
        if not self._by_address[share.address]:
            del self._by_address[share.address]
        share.size = 0


class Share:
    """What one request keeps."""

    def __init__(self, room: Room, scope: Any) -> None:
        self._room, self._scope = room, scope
        self.size = 0
        self.address = ""
        """Empty as long as nothing is kept."""

    def take(self, size: int) -> None:
        """Keep so many bytes more. Raises Refused."""
        if size:
            self.address = self.address or address_of(self._scope)
            self._room.take(self, size)

    def give_back(self) -> None:
        """Keep nothing any longer."""
        self._room.give_back(self)


async def read(scope: Any, receive: Receive, share: Share) -> IO[bytes]:
    """The whole body, or TooLarge as soon as that is known.

    Raises RequestAborted where the client leaves, and Refused where it is too slow or there is no room.
    """
    if (announced := _announced(scope)) > _smallest() and announced > limit_of(scope["path"]):
        return cast("IO[bytes]", TooLarge())
    try:
        async with asyncio.timeout(settings.BODY_SECONDS) as deadline:
            return await _read(scope, receive, share, deadline)
    except TimeoutError:
        message = "The request did not come to its end in time. Send it again."
        raise Refused(HTTPStatus.REQUEST_TIMEOUT, message) from None


async def _read(scope: Any, receive: Receive, share: Share, deadline: asyncio.Timeout) -> IO[bytes]:
    parts: list[bytes] = []
    size, limit = 0, _smallest()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestAborted
        part = message.get("body", b"")
        size += len(part)
        if size > limit and size > (limit := limit_of(scope["path"])):
            share.give_back()
            return cast("IO[bytes]", TooLarge())
        share.take(len(part))
        parts.append(part)
        if not message.get("more_body"):
            return BytesIO(b"".join(parts))
        deadline.reschedule((deadline.when() or 0.0) + len(part) / SLOWEST)


def _smallest() -> int:
    """Bytes that every view takes, so that nobody has to find out which it is."""
    return min(settings.MAX_BODY, *_limits().values())


def _announced(scope: Any) -> int:
    """The Content-Length; 0 where none is told, or none that is a number."""
    told = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(told) if told.isdigit() else 0


def lingering(receive: Receive, send: Send) -> Send:
    """Sends an answer at once, and before its end takes a while what still comes of the body that it refuses."""

    async def send_lingering(message: Any) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body"):
            await send({**message, "more_body": True})
            await _throw_away(receive)
            message = {"type": "http.response.body", "body": b""}
        await send(message)

    return send_lingering


async def _throw_away(receive: Receive) -> None:
    left = LINGER_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while left > 0:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return
                left -= len(message.get("body", b""))
