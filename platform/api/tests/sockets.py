"""A WebSocket client that says what it likes, and tells exactly what comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Data, Origin, Subprotocol

from api.tests.servers import Server

PATIENCE = 30.0
"""Seconds in which anything that is to come has come."""


class Socket:
    """One connection."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, kind: str, identifier: str | None = None, payload: object = None) -> None:
        message: dict[str, object] = {"type": kind}
        if identifier is not None:
            message["id"] = identifier
        if payload is not None:
            message["payload"] = payload
        await self.send(json.dumps(message))

    async def send(self, frame: Data) -> None:
        await self.connection.send(frame)

    async def subscribe(self, identifier: str, query: str, **variables: object) -> None:
        await self.say("subscribe", identifier, {"query": query, "variables": variables})

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            message: dict[str, Any] = json.loads(await self.connection.recv())
        return message

    async def hear_all(self, identifier: str) -> list[dict[str, Any]]:
        """Everything up to the last message of an operation."""
        heard = [await self.hear()]
        while heard[-1].get("id") != identifier or heard[-1]["type"] not in ("complete", "error"):
            heard.append(await self.hear())
        return heard

    async def closed(self) -> int:
        """The code with which the server closes; what it says before is passed over. (Daphne drops the reason.)"""
        return (await self.closed_because())[0]

    async def closed_because(self) -> tuple[int, str]:
        """The code and the reason."""
        with pytest.raises(ConnectionClosed) as closed:
            await self._read_on()
        assert closed.value.rcvd is not None, "the connection broke off"
        return closed.value.rcvd.code, closed.value.rcvd.reason

    async def _read_on(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                await self.connection.recv()

    async def log_in(self, token: str) -> None:
        await self.say("connection_init", payload={"Authorization": f"Bearer {token}"})
        assert await self.hear() == {"type": "connection_ack"}


@asynccontextmanager
async def opened(
    server: Server,
    *,
    origin: str | None = None,
    subprotocols: tuple[str, ...] = ("graphql-transport-ws",),
    headers: dict[str, str] | None = None,
) -> AsyncIterator[Socket]:
    """A connection on which nothing was said yet."""
    async with connect(
        f"ws://localhost:{server.port}/graphql",
        origin=Origin(origin) if origin else None,
        subprotocols=[Subprotocol(name) for name in subprotocols] or None,
        additional_headers=headers,
        proxy=None,
        max_size=None,
        close_timeout=2,
    ) as connection:
        yield Socket(connection)


@asynccontextmanager
async def logged_in(server: Server, token: str) -> AsyncIterator[Socket]:
    """A connection that has been acknowledged."""
    async with opened(server) as socket:
        await socket.log_in(token)
        yield socket
