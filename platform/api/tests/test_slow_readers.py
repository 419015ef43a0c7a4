"""Whoever does not read what he asked for costs little memory, and not for long."""

from __future__ import annotations

import asyncio
import itertools
import re

import pytest

from api.tests.servers import Server
from api.tests.sockets import Socket, logged_in

pytestmark = pytest.mark.process

MEGABYTE = 1024 * 1024


async def open_sockets(server: Server) -> int:
    answer = await asyncio.to_thread(server.ask, "/metrics")
    found = re.search(r"^plumbline_websockets_open (\S+)$", answer.body.decode(), re.MULTILINE)
    assert found is not None
    return int(float(found[1]))


async def test_a_client_that_stops_reading_is_dropped_and_its_memory_bounded(server: Server) -> None:
    before = server.memory()
    most = 0
    async with logged_in(server, server.token("alice")) as socket:
        # The library reads on by itself, up to its own bound, unless it is stopped.
        socket.connection.transport.pause_reading()
        await socket.subscribe("1", "subscription { flood(size: 100000) }")
        async with asyncio.timeout(60):
            while await open_sockets(server):
                most = max(most, server.memory() - before)
        socket.connection.transport.abort()

    # Before it is dropped, a server that holds nothing back keeps some hundred megabytes.
    assert most < 30 * MEGABYTE


async def test_a_client_that_never_answers_a_ping_is_dropped(server: Server) -> None:
    async with logged_in(server, server.token("alice")) as socket:
        await socket.subscribe("1", "subscription { flood(size: 100000) }")

        assert await socket.closed() == 4503


async def test_a_client_that_reads_gets_as_much_as_it_likes(server: Server) -> None:
    async with logged_in(server, server.token("alice")) as socket:
        await socket.subscribe("1", "subscription { flood(size: 100000) }")
        received = 0
        while received < 100:
            received += await next_event(socket)

    assert received == 100


async def next_event(socket: Socket) -> int:
    """1 for an event; 0 for a ping, which is answered."""
    message = await socket.hear()
    if message["type"] == "ping":
        await socket.say("pong")
        return 0
    assert len(message["payload"]["data"]["flood"]) == 100_000
    return 1


async def test_a_client_that_asks_and_does_not_read_is_dropped(server: Server) -> None:
    async with logged_in(server, server.token("alice")) as socket:
        socket.connection.transport.pause_reading()
        await socket.subscribe("1", "subscription { flood(size: 100000) }")
        async with asyncio.timeout(60):
            while await open_sockets(server):
                await socket.say("ping", payload={"text": "x" * 10_000})
        socket.connection.transport.abort()


async def test_a_client_that_begins_operations_and_does_not_read_costs_little_memory(server: Server) -> None:
    before = server.memory()
    most = 0
    async with logged_in(server, server.token("alice")) as socket:
        socket.connection.transport.pause_reading()
        await socket.subscribe("flood", "subscription { flood(size: 100000) }")
        flooding = asyncio.create_task(begin_operations(socket))
        async with asyncio.timeout(60):
            while await open_sockets(server):
                most = max(most, server.memory() - before)
        socket.connection.transport.abort()
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)

    # Each is refused at once, but its error waits: a server that reads on keeps some hundred megabytes of them.
    # daphne reads ahead whatever the application does, until the socket is closed.
    assert most < (30 if server.kind == "uvicorn" else 200) * MEGABYTE


async def begin_operations(socket: Socket) -> None:
    for number in itertools.count():
        await socket.subscribe(str(number), "{")
