"""No request, no ordinary handler and no transaction waits for the outside world: where one tries, its test fails."""

from __future__ import annotations

import socket
import sys
from urllib.parse import urlsplit

from celery import current_app
from django.conf import settings
from django.db import connections

from eventbus import context


class CalledOut(OSError):
    """A connection was opened where nobody may wait for one. A kind of error upon which libraries clean up."""


class Guard:
    """Sees every connection that this process opens. Python has no way to take such a hook off again."""

    def __init__(self) -> None:
        self.caught: list[str] = []
        """What has to fail the test, also where the code in between has caught the error."""

    def install(self) -> None:
        sys.addaudithook(self._look)

    def take(self) -> list[str]:
        """What was caught; it is forgotten here."""
        caught, self.caught = self.caught, []
        return caught

    def _look(self, event: str, arguments: tuple[object, ...]) -> None:
        if event != "socket.connect" or not settings.configured:
            return
        place, address = _place(), arguments[1]
        if place and address not in _own_services():
            self.caught.append(f"{place} opens a connection to {address}")
            raise CalledOut(f"{self.caught[-1]}: let a subscriber with outside=True do that (docs/events.md)")


def _place() -> str:
    """Where the code at hand is, if nobody may be kept waiting there."""
    if any(_in_transaction(each) for each in connections.all(initialized_only=True)):
        return "a transaction"
    if context.calling_out.get():
        return ""
    if context.causation_id.get():
        return "a handler"
    return "a request" if context.correlation_id.get() else ""


def _in_transaction(connection: object) -> bool:
    """Whether it is in one besides that of its test."""
    blocks = getattr(connection, "atomic_blocks", ())
    return any(not block._from_testcase for block in blocks)


def _own_services() -> set[object]:
    """The addresses of database, broker, channel layer and cache."""
    found = set[object]()
    broker, cache = current_app.conf, str(settings.CACHES["default"].get("LOCATION", ""))
    urls = (settings.DATABASE_URL, settings.REDIS_URL, broker.broker_url, broker.broker_write_url, cache)
    for url in filter(None, urls):
        parts = urlsplit(url)
        found.update(each[4] for each in socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM))
    return found


guard = Guard()
