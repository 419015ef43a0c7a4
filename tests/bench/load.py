"""A load generator that leaves the machine to the product: one event loop, kept-alive connections, bytes made ahead."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import time
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Self, cast

from tests.bench.figures import Took

PATIENCE = 120.0
"""Seconds after which something that did not come is an error."""
QUESTIONS = tuple(f"QC-{number:02}" for number in range(1, 13))

Flow = Callable[[], Awaitable[float]]
"""One whole flow of one person, who does nothing else meanwhile; gives the moment at which the save was answered."""


@dataclass
class Account:
    """A signed-in person with a draft, as seen from a web process: behind a proxy with TLS, if there is one."""

    host: str
    session: str
    submission: str
    port: int = 0
    revision: int = 0
    turn: int = 0
    versions: dict[str, int] = field(default_factory=dict)
    is_proxied: bool = True

    def head(self, method: str, path: str, *more: str) -> str:
        """A request's first lines."""
        token = "b" * 32
        proxy = ("X-Forwarded-Proto: https", "X-Forwarded-For: 192.0.2.1") if self.is_proxied else ()
        lines = (
            f"{method} {path} HTTP/1.1",
            f"Host: {self.host}",
            f"Origin: {'https' if self.is_proxied else 'http'}://{self.host}",
            f"Cookie: sessionid={self.session}; csrftoken={token}",
            f"X-CSRFToken: {token}",
            *proxy,
            "Accept: application/json",
            *more,
        )
        return "\r\n".join(lines)


IDLE_SECONDS = 4.0
"""A connection that was not used for so long is not used again: the server ends it after five, perhaps just then."""


class Connection(asyncio.Protocol):
    """One kept-alive HTTP connection, one request at a time; another one where the server has ended it or soon will."""

    def __init__(self, port: int, statuses: Sequence[int] = (200,)) -> None:
        self._port = port
        self._good = tuple(f"HTTP/1.1 {status}".encode() for status in statuses)
        self._received = b""
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport | None = None
        self._used_at = time.monotonic()
        self._put_aside = 0
        """Connections of which the end is still to be told."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    async def open(self) -> asyncio.Transport:
        """Connect, where that has not been done, or was done and is over."""
        now = time.monotonic()
        if self._transport is not None and now - self._used_at > IDLE_SECONDS:
            self._put_away()
        self._used_at = now
        if self._transport is None or self._transport.is_closing():
            await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self._port)
            assert self._transport is not None
        return self._transport

    def _put_away(self) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            self._put_aside += 1
            self._transport.close()

    async def request(self, request: bytes) -> bytes:
        """Send a whole request; gives the body of its answer. Raises RuntimeError for a status that is not expected."""
        transport = await self.open()
        self._answer = asyncio.get_running_loop().create_future()
        transport.write(request)
        try:
            return await self._answer
        finally:
            self._used_at = time.monotonic()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or self._answer is None:
            return
        length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        answer, self._received = self._answer, body[length:]
        if head.startswith(self._good):
            answer.set_result(body[:length])
        else:
            answer.set_exception(RuntimeError(f"{head.splitlines()[0]!r}: {body[:300]!r}"))

    def connection_lost(self, error: Exception | None) -> None:
        if self._put_aside:
            self._put_aside -= 1
        elif self._answer is not None and not self._answer.done():
            self._answer.set_exception(RuntimeError(f"the connection closed: {error}"))


class Socket(asyncio.Protocol):
    """A browser's WebSocket: it offers compression as they do, reads text frames and hands each to `receive`."""

    def __init__(self, handshake: bytes, receive: Callable[[bytes], None], *, inflates: bool = True) -> None:
        self._handshake = handshake
        self.receive = receive
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS) if inflates else None
        self._received = b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(
        cls,
        account: Account,
        receive: Callable[[bytes], None],
        path: str = "/ws/reports/",
        *more: str,
        inflates: bool = True,
    ) -> Self:
        """Open one, with `more` lines in its handshake, and wait until the server has taken it."""
        key = base64.b64encode(os.urandom(16)).decode()
        head = account.head(
            "GET",
            path,
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
            *more,
        )
        handshake = f"{head}\r\n\r\n".encode()
        _transport, protocol = await asyncio.get_running_loop().create_connection(
            lambda: cls(handshake, receive, inflates=inflates), "127.0.0.1", account.port
        )
        async with asyncio.timeout(PATIENCE):
            await protocol.opened
        return protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._handshake)

    def say(self, text: str) -> None:
        """Send one text frame, masked with zeros."""
        payload = text.encode()
        length = bytes((len(payload),)) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2)
        self._transport.write(bytes((0x81, 0x80 | length[0])) + length[1:] + bytes(4) + payload)

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self.opened.done():
            head, found, rest = self._received.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.opened.set_exception(RuntimeError(f"no WebSocket: {head.splitlines()[0]!r}"))
                return
            self._received = rest
            self.opened.set_result(None)
        self._read_frames()

    def _read_frames(self) -> None:
        while len(self._received) >= 2:
            first, length, at = self._received[0], self._received[1], 2
            if length == 126:
                length, at = int.from_bytes(self._received[2:4]), 4
            if len(self._received) < at + length:
                return
            payload, self._received = self._received[at : at + length], self._received[at + length :]
            self._read_frame(first, payload)

    def _read_frame(self, first: int, payload: bytes) -> None:
        if first & 0x0F == 0x9:
            self._transport.write(bytes((0x8A, 0x80 | len(payload))) + bytes(4) + payload)  # pong, masked with zeros
        elif first & 0x0F == 0x1:
            if first & 0x40 and self._inflater:
                payload = self._inflater.decompress(payload + b"\x00\x00\xff\xff")
            self.receive(payload)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(RuntimeError(f"the socket closed: {error}"))


class Hints:
    """Who waits for which hint."""

    def __init__(self) -> None:
        self._awaited: dict[tuple[str, int], asyncio.Future[None]] = {}

    def expect(self, submission: str, revision: int) -> asyncio.Future[None]:
        """What is done once the hint of this revision has come."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._awaited[submission, revision] = future
        return future

    def receive(self, frame: bytes) -> None:
        """Read a frame of the socket."""
        hint = json.loads(frame)
        self.arrived(hint.get("submission"), hint.get("revision"))

    def arrived(self, submission: str, revision: int) -> None:
        """This revision is there."""
        future = self._awaited.pop((submission, revision), None)
        if future is not None:
            future.set_result(None)


class Person:
    """Somebody who saves one answer after another and waits for each report's hint."""

    def __init__(self, account: Account, connection: Connection, hints: Hints) -> None:
        self.account, self.connection, self.hints = account, connection, hints
        self._head = account.head(
            "POST", f"/submissions/{account.submission}/answers/", "Content-Type: application/json"
        )

    async def flow(self) -> float:
        """Save, then wait until the report's hint has come."""
        hint = self.hints.expect(self.account.submission, self.account.revision + 1)
        answered = await self.save()
        async with asyncio.timeout(PATIENCE):
            await hint
        return answered

    async def save(self) -> float:
        """Change one answer; gives the moment at which that was answered."""
        account = self.account
        question = QUESTIONS[account.turn % len(QUESTIONS)]
        value = "NPLF"[account.turn // len(QUESTIONS) % 4]
        version = account.versions.get(question, 0)
        body = f'{{"changes":[{{"question":"{question}","value":"{value}","note":"","version":{version}}}]}}'
        async with asyncio.timeout(PATIENCE):
            await self.connection.request(f"{self._head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        answered = time.perf_counter()
        account.turn, account.revision = account.turn + 1, account.revision + 1
        account.versions[question] = version + 1
        return answered


async def one_after_another(flows: Sequence[Flow], rounds: int) -> list[Took]:
    """How long each flow took, people taking turns."""
    samples = []
    for number in range(rounds):
        started = time.perf_counter()
        answered = await flows[number % len(flows)]()
        samples.append(Took.until_now(started, answered))
    return samples


async def at_rate(flows: Sequence[Flow], per_second: float, rounds: int, seed: int) -> list[Took]:
    """How long each flow took from the moment for which it was planned, with gaps as of independent people.

    Who is busy delays what was planned for him, and that counts: an overloaded product can't slow the load down.
    """
    dice = random.Random(seed)  # noqa: S311  (the same load in each run)
    idle: asyncio.Queue[Flow] = asyncio.Queue()
    for flow in flows:
        idle.put_nowait(flow)
    samples: list[Took] = []

    async def planned(at: float) -> None:
        flow = await idle.get()
        answered = await flow()
        samples.append(Took.until_now(at, answered))
        idle.put_nowait(flow)

    at = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(rounds):
            at += dice.expovariate(per_second)
            await asyncio.sleep(at - time.perf_counter())
            tasks.create_task(planned(at))
    return samples


async def as_fast_as_possible(flows: Sequence[Flow], seconds: float) -> float:
    """Flows a second while each person begins the next one as soon as the last one is through."""
    started = time.perf_counter()

    async def person(flow: Flow) -> int:
        done = 0
        while time.perf_counter() < started + seconds:
            await flow()
            done += 1
        return done

    done = await asyncio.gather(*map(person, flows))
    return sum(done) / (time.perf_counter() - started)
