"""Who sends a request, as far as that is known before anything is asked of the database.

Which person a session belongs to is remembered from the last request that came with it.

uvicorn imports this before Django is set up.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, parse_cookie
from django.utils.functional import LazyObject

from api.tokens import token_in
from config import cookies
from fairness.turns import Client
from sockets.addresses import address_of
from sockets.threads import PERSON

MOST_SESSIONS = 10_000
PROBES = ("/health", "/metrics")
"""What programs ask again and again."""


class Clients:
    """The people of the sessions that this process has seen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._people: OrderedDict[str, Hashable] = OrderedDict()

    def of(self, scope: Any) -> Client:
        """The person of the session that comes with it. Where none is known, the address; and beside it a session that
        was not looked up yet, which is one client from whatever addresses it comes."""
        if scope["path"].startswith(PROBES):
            return Client((("probe", address_of(scope)),), is_probe=True)
        key = _session_in(scope)
        origin = self._origin(key, scope)
        if origin[0] == PERSON:
            return Client((origin,))
        return Client((origin, ("session", key)) if key else (origin,), is_stranger=True)

    def origin_of(self, scope: Any) -> Hashable:
        """The person of the session that comes with a handshake, or else the address."""
        return self._origin(_session_in(scope), scope)

    def learn(self, scope: Any, request: HttpRequest) -> None:
        """Remember whose the session is, where the request had it looked up."""
        key, person = _session_in(scope), _person_of(request)
        if not key or person is None:
            return
        with self._lock:
            if not person.is_authenticated:
                self._people.pop(key, None)
                return
            self._people[key] = person.pk
            self._people.move_to_end(key)
            if len(self._people) > MOST_SESSIONS:
                self._people.popitem(last=False)

    def _origin(self, key: str, scope: Any) -> tuple[str, Hashable]:
        person = self._people.get(key)
        return ("address", address_of(scope)) if person is None else (PERSON, person)


def _person_of(request: HttpRequest) -> Any:
    """Django's look-up, or the API's, which may have gone by a token; None where nobody asked."""
    looked_up = vars(request).get("_cached_user") or vars(request).get("user")
    return None if isinstance(looked_up, LazyObject) else looked_up


def _session_in(scope: Any) -> str:
    """The key of the session, or the token, that comes with it; empty without any."""
    found = {name: value.decode("latin-1") for name, value in scope["headers"] if name in _CARRIERS}
    if not found:
        return ""
    token = token_in({name.decode(): value for name, value in found.items()})
    if token:
        return token
    sent = parse_cookie(found.get(b"cookie", ""))
    name = settings.SESSION_COOKIE_NAME
    return sent.get(cookies.PREFIX + name) or sent.get(name) or ""


_CARRIERS = frozenset((b"cookie", b"authorization", b"x-session-token"))


clients = Clients()
"""Of this process."""
