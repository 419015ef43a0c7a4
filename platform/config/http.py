"""Django's HTTP handler for a product whose views are all synchronous."""

from __future__ import annotations

import asyncio
import time
from contextvars import copy_context
from http import HTTPStatus
from typing import IO, Any

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from config import bodies, outages
from config.clients import clients
from eventbus.context import request_arrived
from fairness.pool import Full, Pool
from fairness.turns import Client
from operations.checks import serving_loop
from operations.counters import count_request
from sockets.threads import room, turns


class PooledHandler(ASGIHandler):
    """Reads requests and sends responses on the event loop, and runs each request whole in one thread of a pool.

    Stock Django changes threads twice for each middleware and opens a database connection for each request, because
    it gives every request a thread of its own. Here the threads stay, and their connections with them
    (CONN_MAX_AGE decides how long).
    """

    def __init__(self, threads: int) -> None:
        super().__init__()
        self._pool = Pool(turns(), threads, "http", room())
        self._room = bodies.Room()

    def create_request(self, scope: Any, body_file: IO[bytes]) -> tuple[Any, Any]:
        """A request, or None and why it is none."""
        made: tuple[Any, Any] = super().create_request(scope, body_file)
        return made

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the chain for threads, whatever is asked for."""
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handle one request, without a thread of its own for what Django does around it."""
        request_arrived.set(time.monotonic())
        await self.handle(scope, receive, send)

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Read, respond, send. A view in a thread can't be stopped, so nobody listens for the client going away."""
        with self._room.share(scope) as share:
            try:
                body_file = await bodies.read(scope, receive, share)
            except RequestAborted:
                return
            except bodies.Refused as refused:
                share.give_back()
                await self.send_response(_plain(refused), bodies.lingering(receive, send))
                return
            if isinstance(body_file, bodies.TooLarge):
                send = bodies.lingering(receive, send)
            await self._answer(scope, body_file, send)

    async def _answer(self, scope: Any, body_file: IO[bytes], send: Any) -> None:
        with body_file:
            context = copy_context()
            context.run(serving_loop.set, asyncio.get_running_loop())
            try:
                response = await self._pool.run(clients.of(scope), context.run, self._respond, scope, body_file)
            except Full as full:
                response = self._too_busy(scope, body_file, full)
            if isinstance(body_file, bodies.TooLarge):
                _closing(response)
            await self.send_response(response, send)
            if response.streaming:
                await self._pool.run(Client(), context.run, response.close)

    def _too_busy(self, scope: Any, body_file: IO[bytes], full: Full) -> HttpResponseBase:
        """Say so, on the loop. A page is made unless its client alone asks for too much."""
        count_request("", HTTPStatus.SERVICE_UNAVAILABLE)
        request, refusal = self.create_request(scope, body_file)
        return refusal if request is None else outages.busy(request, makes_page=not full.of_client)

    def _respond(self, scope: Any, body_file: IO[bytes]) -> HttpResponseBase:
        """Do all that Django does for a request, in this thread. A response that is whole by now is closed, too: what
        Django ties to the end of a request (giving connections back, above all) does not wait for the network."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        request, refusal = self.create_request(scope, body_file)
        response: HttpResponseBase = refusal if request is None else self.get_response(request)
        response._handler_class = type(self)  # type: ignore[attr-defined]  # Django's own, so the stubs leave it out
        if request is not None:
            clients.learn(scope, request)
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if not response.streaming:
            response.close()
        return response


def _plain(refused: bodies.Refused) -> HttpResponseBase:
    headers = {"Content-Type": "text/plain; charset=utf-8", **refused.headers}
    return _closing(HttpResponse(refused.message, status=refused.status, headers=headers))


def _closing(response: HttpResponseBase) -> HttpResponseBase:
    """The same response as the last on its connection: what is left of the request's body is not read."""
    response.headers["Connection"] = "close"
    if not response.streaming:
        response.headers.setdefault("Content-Length", str(len(response.content)))  # type: ignore[attr-defined]
    return response
