"""A subscriber to GraphQL for tests: what the server does with a subscription, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from asgiref.sync import sync_to_async
from channels.layers import channel_layers, get_channel_layer
from django.db import connections
from graphql import ExecutionResult, GraphQLError, create_source_event_stream

from accounts.models import User
from config.tests.whole_schema import Seen, context_of, data, parsed, schema

PATIENCE = 20.0


class Listener:
    """One subscription of one person."""

    def __init__(self, user: User, document: str, stream: AsyncGenerator[Any, None], variables: dict[str, Any]) -> None:
        self._user, self._document, self._stream, self._variables = user, document, stream, variables
        self._next = asyncio.ensure_future(anext(stream))

    async def hear(self, seen: Seen | None = None) -> Any:
        """The next message; raises StopAsyncIteration where the stream ended."""
        async with asyncio.timeout(PATIENCE):
            event = await self._next
        self._next = asyncio.ensure_future(anext(self._stream))
        return await sync_to_async(data)(self._user, self._document, root=event, seen=seen, **self._variables)

    async def is_silent(self, seconds: float = 0.2) -> bool:
        """Whether nothing comes meanwhile."""
        done, _pending = await asyncio.wait({self._next}, timeout=seconds)
        return not done

    async def has_ended(self) -> bool:
        """Whether the stream ends without another message."""
        async with asyncio.timeout(PATIENCE):
            try:
                await self._next
            except StopAsyncIteration:
                return True
        return False

    async def close(self) -> None:
        self._next.cancel()
        await asyncio.gather(self._next, return_exceptions=True)
        await self._stream.aclose()


@asynccontextmanager
async def listening(user: User, document: str, **variables: Any) -> AsyncIterator[Listener]:
    """A subscription that waits for what happens from now on, or has something to say already."""
    stream = await subscribe(user, document, **variables)
    assert not isinstance(stream, ExecutionResult), stream.errors
    waiting = _waiting()
    listener = Listener(user, document, stream, variables)
    async with asyncio.timeout(PATIENCE):
        while _waiting() == waiting and await listener.is_silent(0.01):
            pass
    try:
        yield listener
    finally:
        await listener.close()


async def subscribe(user: Any, document: str, **variables: Any) -> Any:
    """The stream, or an ExecutionResult that says why there is none."""
    return await create_source_event_stream(
        schema, parsed(document), context_value=context_of(user), variable_values=variables
    )


async def refusal(user: Any, document: str, **variables: Any) -> str:
    """The code with which a subscription is refused."""
    refused = await subscribe(user, document, **variables)
    assert isinstance(refused, ExecutionResult)
    (error,) = refused.errors or [GraphQLError("none")]
    return str((error.extensions or {}).get("code"))


@asynccontextmanager
async def nobody_else() -> AsyncIterator[None]:
    """A channel layer on which nobody listens yet; afterwards the thread of `sync_to_async` keeps no connection."""
    channel_layers.backends.clear()
    yield
    channel_layers.backends.clear()
    await sync_to_async(connections.close_all)()


def _waiting() -> set[str]:
    """The channels on which somebody waits."""
    layer: Any = get_channel_layer()
    return set(layer.channels)
