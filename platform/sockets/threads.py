"""Threads for what sockets ask of the database: a socket waits on the server's loop, which nothing may hold up."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextvars import copy_context
from functools import cache
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import close_old_connections

from fairness.pool import Pool, Room
from fairness.turns import Client, Turns

P = ParamSpec("P")
R = TypeVar("R")


PERSON = "person"
"""What the name of a client that is a person begins with; the key follows."""


def person(key: Hashable) -> Client:
    """The person with this key as a client."""
    return Client(((PERSON, key),))


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function of the product's own in a thread of the pool, in the context of the caller.

    A cancelled wait does not stop the function: a mutation that has begun is finished.
    """
    return await in_turn(Client(), function, *args, **kwargs)


async def in_turn(client: Client, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The same for a client, once it is their turn. Raises fairness.pool.Full."""
    context = copy_context()

    def call() -> R:
        close_old_connections()
        try:
            return context.run(function, *args, **kwargs)
        finally:
            close_old_connections()

    return await _pool().run(client, call)


@cache
def turns() -> Turns:
    """Those of this process: what somebody asks by requests and by sockets counts together."""
    return Turns(settings.HEAVY_CLIENT_SECONDS)


def room() -> Room:
    """How much may wait for a thread."""
    return Room(settings.WAITING_REQUESTS, settings.WAITING_REQUESTS_PER_CLIENT, settings.WAITING_SECONDS)


@cache
def _pool() -> Pool:
    return Pool(turns(), settings.SOCKET_THREADS, "socket", room())
