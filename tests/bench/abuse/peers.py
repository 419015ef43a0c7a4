"""Clients with addresses of their own on loopback: the victim has one, and so has each attacker."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from tests.bench.load import Account

VICTIM = "127.0.0.2"
ATTACKERS = ("127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6")
PATIENCE = 60.0


@dataclass(frozen=True)
class Place:
    """A running installation, and the people that there are in it."""

    port: int
    host: str
    is_proxied: bool
    victim: Account
    attacker: Account
    crowd: list[Account] = field(default_factory=list)
    """People of one organisation."""


class Peer:
    """One connection from an address, opened again where the server has closed it."""

    def __init__(self, place: Place, address: str) -> None:
        self._place, self.address = place, address
        self._reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The connection as it is, or a new one."""
        if self._reader is None or self.writer is None or self.writer.is_closing() or self._reader.at_eof():
            made = await asyncio.open_connection("127.0.0.1", self._place.port, local_addr=(self.address, 0))
            self._reader, self.writer = made
        return self._reader, self.writer

    def close(self) -> None:
        """Leave."""
        if self.writer is not None:
            self.writer.close()
        self._reader = self.writer = None

    def head(self, account: Account | None, method: str, path: str, *more: str) -> str:
        """A request's first lines, as this address and this person (None: nobody) send them."""
        signed_in = account or Account(self._place.host, "", "", is_proxied=self._place.is_proxied)
        head = signed_in.head(method, path, *more)
        if account is None:
            head = "\r\n".join(line for line in head.split("\r\n") if not line.startswith("Cookie:"))
        return head.replace("X-Forwarded-For: 192.0.2.1", f"X-Forwarded-For: {self.address}")

    async def ask(self, account: Account | None, method: str, path: str, body: bytes = b"", kind: str = "") -> int:
        """Send a request and read the answer; gives the status, 0 where the connection broke off."""
        lines = [f"Content-Length: {len(body)}", f"Content-Type: {kind}"] if method == "POST" else []
        request = f"{self.head(account, method, path, *lines)}\r\n\r\n".encode() + body
        try:
            async with asyncio.timeout(PATIENCE):
                _reader, writer = await self.open()
                writer.write(request)
                return await self.status()
        except (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError):
            self.close()
            return 0

    async def status(self) -> int:
        """Read an answer."""
        assert self._reader is not None
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        _before, found, rest = head.partition(b"content-length:")
        if found:
            await self._reader.readexactly(int(rest.split(b"\r\n", 1)[0]))
        if not found or b"connection: close" in head:
            self.close()
        return int(head.split(b" ", 2)[1])

    async def wait_for_the_end(self) -> None:
        """Until the server closes."""
        with suppress(OSError, asyncio.IncompleteReadError):
            while self._reader is not None and await self._reader.read(4096):
                pass
        self.close()
