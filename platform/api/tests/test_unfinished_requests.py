"""A peer that sends half a head, half a body or far too much is ended, on a real server; a slow one is not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest

from api.messages import INIT_TIMEOUT
from api.tests.servers import Installation, Server
from api.tests.sockets import PATIENCE, opened

pytestmark = pytest.mark.thorough

HEAD = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\n"
FORM = HEAD + b"Content-Type: application/x-www-form-urlencoded\r\n"
CHUNK = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"


@pytest.fixture(scope="module")
def impatient(installation: Installation) -> Iterator[Server]:
    """A server that waits half a second for heads and bodies, and has room for 12 MiB of bodies."""
    room = str(12 * 1024 * 1024)
    server = Server("uvicorn", installation, HEAD_SECONDS="0.5", BODY_SECONDS="0.5", BODY_ROOM=room)
    yield server
    server.stop()


@contextlib.asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Peer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield Peer(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class Peer:
    """One connection on which anything may be sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, content: bytes) -> None:
        self.writer.write(content)

    async def status(self) -> int:
        """The status of the next answer, which is read whole."""
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await self.reader.readexactly(int(length.split(b":")[1]))
        return int(head.split()[1])

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()


async def test_who_says_nothing_is_left_without_a_word(impatient: Server) -> None:
    async with connected(impatient) as peer:
        assert await peer.rest() == b""


@pytest.mark.parametrize("begun", [b"G", b"\r\n", HEAD, HEAD + b"Cookie: " + b"a" * 60_000])
async def test_half_a_head_is_answered_with_408(impatient: Server, begun: bytes) -> None:
    async with connected(impatient) as peer:
        peer.send(begun)

        assert await peer.status() == 408
        assert await peer.rest() == b""


@pytest.mark.parametrize("begun", [b"G", b"\r\n", HEAD])
async def test_half_a_second_head_on_a_connection_is_answered_with_408(impatient: Server, begun: bytes) -> None:
    async with connected(impatient) as peer:
        peer.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert await peer.status() == 200
        peer.send(begun)

        assert await peer.status() == 408


async def test_a_head_without_an_end_is_refused_by_its_size(impatient: Server) -> None:
    async with connected(impatient) as peer:
        peer.send(HEAD + b"Cookie: " + b"a" * 400_000)

        assert await peer.status() == 431


@pytest.mark.parametrize(
    "begun", [FORM + b"Content-Length: 9\r\n\r\nlogin", FORM + b"Transfer-Encoding: chunked\r\n\r\n5\r\nlo"]
)
async def test_half_a_body_is_answered_with_408(impatient: Server, begun: bytes) -> None:
    async with connected(impatient) as peer:
        peer.send(begun)

        assert await peer.status() == 408
        assert await peer.rest() == b""


async def test_a_body_without_an_end_is_refused_while_it_is_sent(impatient: Server) -> None:
    async with connected(impatient) as peer:
        peer.send(FORM + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK * 20)

        # It came with more than 512 KiB, and no end.
        assert await peer.status() == 413


async def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(impatient: Server) -> None:
    async with connected(impatient) as peer:
        peer.send(b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
        peer.send(b"Expect: 100-continue\r\nContent-Length: 70000\r\n\r\n")

        # Not 100, and for anybody that asks: nobody has logged in.
        assert await peer.status() in (401, 413)


async def test_unfinished_bodies_are_kept_as_far_as_there_is_room(impatient: Server) -> None:
    body = FORM + b"Content-Length: 500000\r\n\r\n" + b"x" * 100_000
    async with contextlib.AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(connected(impatient)) for _ in range(50)]
        for peer in peers:
            peer.send(body)
        # A quarter of 12 MiB for one address: 31 of 100,000 bytes may wait for their end.
        answers = asyncio.as_completed([peer.status() for peer in peers])
        assert [await next(answers) for _ in range(19)] == [503] * 19

    async with connected(impatient) as peer:
        peer.send(FORM + b"Content-Length: 5\r\n\r\nlogin")
        # Not a form of ours, but read.
        assert await peer.status() == 403


async def test_a_socket_outlives_the_deadline_for_heads(installation: Installation) -> None:
    server = Server("uvicorn", installation, HEAD_SECONDS="0.1", GRAPHQL_INIT_SECONDS="1")
    try:
        async with opened(server) as socket:
            assert await socket.closed() == INIT_TIMEOUT
    finally:
        server.stop()


async def test_who_is_slow_but_in_time_is_served(impatient: Server) -> None:
    async with connected(impatient) as peer:
        for part in (b"GET /hea", b"lth HTTP/1.1\r\nHo", b"st: localhost\r\n\r\n"):
            peer.send(part)
            await peer.writer.drain()

        assert await peer.status() == 200
