"""How many sockets may be open: a few for each person, and for each address some of which nobody knows whose they are.

The counts are of this process, and live on its loop. A process that ends leaves nothing behind that somebody would have
to give back; with several of them a person has as many in each (docs/adr/0028-cost-of-strangers.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from http import HTTPStatus
from typing import Any

from django.conf import settings

from sockets.addresses import address_of

TOO_MANY = 4430
"""The close code of an open socket that turns out to be one too many of its person: clients come back later."""
RETRY_SECONDS = 10
EXTENSION = "websocket.http.response"

Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

_strangers: Counter[str] = Counter()
_people: Counter[Hashable] = Counter()


class Seat:
    """The place of one socket: first a stranger's, by the address, then that of the person whose it is."""

    def __init__(self, address: str = "") -> None:
        self._address = address
        self._person: Hashable = None

    def sit_down(self) -> bool:
        """Take a stranger's place; False where the address has as many as it may."""
        if _strangers[self._address] >= settings.SOCKETS_PER_ADDRESS:
            return False
        _strangers[self._address] += 1
        return True

    def belongs_to(self, person: Hashable) -> bool:
        """It is known whose the socket is, which gives the stranger's place back; False where the person has as many as
        they may. To be asked once. A seat without an address counts for nobody."""
        if not self._address:
            return True
        self._give_back()
        if _people[person] >= settings.SOCKETS_PER_PERSON:
            return False
        _people[person] += 1
        self._person = person
        return True

    def leave(self) -> None:
        """The socket is gone."""
        self._give_back()
        if self._person is not None:
            _lower(_people, self._person)
            self._person = None

    def _give_back(self) -> None:
        if self._address:
            _lower(_strangers, self._address)
            self._address = ""


def seat_of(scope: Any) -> Seat:
    """The place of the socket with this scope; one that counts for nobody where no `Seated` is around it."""
    seat: Seat = scope.get("seat") or Seat()
    return seat


class Seated:
    """Gives each socket a seat, or refuses the handshake."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand over to the application, with the seat in its scope."""
        seat = Seat(address_of(scope))
        if not seat.sit_down():
            await receive()  # websocket.connect
            await refuse_for_now(scope, send)
            return
        try:
            await self._application({**scope, "seat": seat}, receive, send)
        finally:
            seat.leave()


async def refuse_for_now(scope: Any, send: Send) -> None:
    """Refuse a handshake that is one too many: 429 with Retry-After. A server that can't say that says 403."""
    if EXTENSION not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close"})
        return
    headers = [(b"retry-after", str(RETRY_SECONDS).encode()), (b"content-length", b"0")]
    status = HTTPStatus.TOO_MANY_REQUESTS.value
    await send({"type": f"{EXTENSION}.start", "status": status, "headers": headers})
    await send({"type": f"{EXTENSION}.body", "body": b""})


def _lower(counts: Counter[Any], key: Any) -> None:
    counts[key] -= 1
    if counts[key] <= 0:
        del counts[key]
