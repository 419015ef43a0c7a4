"""Django's HTTP handler for a product whose views are all synchronous."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import IO, Any

from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from eventbus.context import request_arrived
from operations.checks import serving_loop

MAX_BODY = 4 * 1024 * 1024
"""Bytes of a request that are kept: more than any view takes, DATA_UPLOAD_MAX_MEMORY_SIZE, so that it is refused."""


class PooledHandler(ASGIHandler):
    """Reads requests and sends responses on the event loop, and runs each request whole in one thread of a pool.

    Stock Django changes threads twice for each middleware and opens a database connection for each request, because
    it gives every request a thread of its own. Here the threads stay, and their connections with them
    (CONN_MAX_AGE decides how long).
    """

    def __init__(self, threads: int) -> None:
        super().__init__()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="http")

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the chain for threads, whatever is asked for."""
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handle one request, without a thread of its own for what Django does around it."""
        request_arrived.set(time.monotonic())
        await self.handle(scope, receive, send)

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Read, respond, send. A view in a thread can't be stopped, so nobody listens for the client going away."""
        try:
            body_file = await self.read_body(receive)
        except RequestAborted:
            return
        with body_file:
            loop, context = asyncio.get_running_loop(), copy_context()
            context.run(serving_loop.set, loop)
            response = await loop.run_in_executor(self._pool, context.run, self._respond, scope, body_file)
            await self.send_response(response, send)
            if response.streaming:
                await loop.run_in_executor(self._pool, context.run, response.close)

    async def read_body(self, receive: Any) -> IO[bytes]:
        """Read the whole body, but keep MAX_BODY at most: Django would let anybody fill the disk."""
        return await super().read_body(_bounded(receive))

    def create_request(self, scope: Any, body_file: IO[bytes]) -> Any:
        """Make the request; one that is too large always tells its length, for by that Django refuses it."""
        request, refusal = super().create_request(scope, body_file)
        size = body_file.seek(0, os.SEEK_END)
        body_file.seek(0)
        if request is not None and size > (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0):
            request.META["CONTENT_LENGTH"] = str(size)
        return request, refusal

    def _respond(self, scope: Any, body_file: IO[bytes]) -> HttpResponseBase:
        """Do all that Django does for a request, in this thread. A response that is whole by now is closed, too: what
        Django ties to the end of a request (giving connections back, above all) does not wait for the network."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        request, refusal = self.create_request(scope, body_file)
        response: HttpResponseBase = refusal if request is None else self.get_response(request)
        response._handler_class = type(self)  # type: ignore[attr-defined]  # Django's own, so the stubs leave it out
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if not response.streaming:
            response.close()
        return response


def _bounded(receive: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[Any]]:
    """Receives the same messages without what goes beyond MAX_BODY."""
    left = MAX_BODY

    async def receive_bounded() -> Any:
        nonlocal left
        message = await receive()
        body = message.get("body", b"")
        kept = body[:left]
        left -= len(kept)
        return message if len(kept) == len(body) else {**message, "body": kept}

    return receive_bounded
