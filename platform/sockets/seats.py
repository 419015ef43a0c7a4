"""How many sockets may be open: a few for each person, and for each address some of which nobody knows whose they are.

An address from which many came that never said whose they are has to wait, too: `may_come` tells, before anything is
made of a handshake (`config.heads`).

The counts are of this process, and live on its loop. A process that ends leaves nothing behind that somebody would have
to give back; with several of them a person has as many in each (docs/adr/0028-cost-of-strangers.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from http import HTTPStatus
from time import monotonic
from typing import Any

from django.conf import settings

from fairness.turns import Client
from sockets.addresses import address_of

TOO_MANY = 4430
"""The close code of an open socket that turns out to be one too many of its person: clients come back later."""
RETRY_SECONDS = 10
EXTENSION = "websocket.http.response"

Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

FORGET_SECONDS = 60.0
"""An address that has used up what it may fruitlessly open has all of it again after so long."""
FEW = 1_000
"""Addresses below which nobody looks for those that may be forgotten."""

_strangers: Counter[Hashable] = Counter()
_people: Counter[Hashable] = Counter()
_forgotten_at: dict[Hashable, float] = {}
"""When the sockets of each address are forgotten that were gone before anybody knew whose they were."""


def may_come(origin: Hashable) -> bool:
    """Whether there is a stranger's place for one more socket of this origin, and not too many of it were fruitless.

    An origin is the address or, where the session that comes with the handshake is known, its person.
    """
    if _strangers[origin] >= settings.SOCKETS_PER_ADDRESS:
        return False
    return _forgotten_at.get(origin, 0.0) - monotonic() < FORGET_SECONDS


class Seat:
    """The place of one socket: first a stranger's, by its origin, then that of the person whose it is."""

    def __init__(self, origin: Hashable = None) -> None:
        self._origin = origin
        self._person: Hashable = None

    def sit_down(self) -> bool:
        """Take a stranger's place; False where the origin has as many as it may."""
        if _strangers[self._origin] >= settings.SOCKETS_PER_ADDRESS:
            return False
        _strangers[self._origin] += 1
        return True

    @property
    def client(self) -> Client:
        """On whose account it is, as long as nobody knows whose it is."""
        return Client(() if self._origin is None else (self._origin,), is_stranger=True)

    def belongs_to(self, person: Hashable) -> bool:
        """It is known whose the socket is, which gives the stranger's place back; False where the person has as many as
        they may. To be asked once. A seat without an origin counts for nobody."""
        if self._origin is None:
            return True
        if _people[person] >= settings.SOCKETS_PER_PERSON:
            return False
        self._give_back()
        _people[person] += 1
        self._person = person
        return True

    def leave(self) -> None:
        """The socket is gone."""
        if self._origin is not None:
            _remember(self._origin)
            self._give_back()
        if self._person is not None:
            _lower(_people, self._person)
            self._person = None

    def _give_back(self) -> None:
        _lower(_strangers, self._origin)
        self._origin = None


def seat_of(scope: Any) -> Seat:
    """The place of the socket with this scope; one that counts for nobody where no `Seated` is around it."""
    seat: Seat = scope.get("seat") or Seat()
    return seat


class Seated:
    """Gives each socket a seat, or refuses the handshake."""

    def __init__(self, application: Application, origin_of: Callable[[Any], Hashable] = address_of) -> None:
        self._application, self._origin_of = application, origin_of

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand over to the application, with the seat in its scope."""
        seat = Seat(self._origin_of(scope))
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


def _remember(origin: Hashable) -> None:
    """A socket of it is gone of which nobody ever knew whose it was."""
    now = monotonic()
    _forgotten_at[origin] = (
        max(_forgotten_at.get(origin, now), now) + FORGET_SECONDS / settings.FRUITLESS_SOCKETS_PER_ADDRESS
    )
    if len(_forgotten_at) > FEW:
        for each in [key for key, until in _forgotten_at.items() if until <= now] or list(_forgotten_at):
            del _forgotten_at[each]


def _lower(counts: Counter[Any], key: Any) -> None:
    counts[key] -= 1
    if counts[key] <= 0:
        del counts[key]
