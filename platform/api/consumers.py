"""GraphQL over WebSocket, by graphql-transport-ws.

An ASGI application rather than one of Channels' consumer classes: those handle one message after the other, and here
a ping is answered and an operation is ended while others are at work. Channels routes to it, and carries what the
schema's subscriptions listen to.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import DatabaseError
from django.http import parse_cookie
from django.utils.translation import gettext as _
from graphql import GraphQLError, OperationType

from api import asking, messages, origins
from api.asking import Again, Asker
from api.charging import charge, charging_refusals, refuse_debtors
from api.context import Context
from api.errors import Refused, masked, refusal, told, too_soon
from api.execution import Prepared, open_stream, prepare, run
from api.messages import SUBPROTOCOL, Close, Message
from api.outbox import Gone, Outbox
from api.parameters import Parameters
from api.tokens import token_in
from eventbus.context import correlation_id
from fairness.pool import Full
from sockets import threads
from sockets.gathering import Gathered, until_next
from sockets.seats import TOO_MANY, seat_of

logger = logging.getLogger(__name__)

MAX_MESSAGE = 64 * 1024
"""Characters of one message of a client, as uvicorn is told too: what is larger is sent over HTTP."""
GOODBYE_SECONDS = 1.0
"""How long a server that stops waits for a client to have read that."""
BUSY_SECONDS = 5
"""After how long an operation may come again for which too many others wait."""
WAITING = 16
"""Refusals of operations that are one too many, and last messages of others, that may wait for the client to read:
with more of them the server reads nothing from it either."""

_lookups: Gathered[Asker, Again] = Gathered(asking.again)
"""Who is asking on all sockets of this process."""

_running: Counter[Hashable] = Counter()
"""Operations of each person on all sockets of this process."""

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Disconnected(Exception):
    """The client has left."""


async def graphql_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI application."""
    await receive()  # websocket.connect
    origin, is_ours = origins.of_handshake(scope)
    if origin is not None and not is_ours:
        # Before it is accepted, this answers 403.
        await send({"type": "websocket.close", "code": messages.REFRESH})
        return
    if SUBPROTOCOL not in scope["subprotocols"]:
        await send({"type": "websocket.accept"})
        await _close(send, Close(messages.BAD_SUBPROTOCOL, "Subprotocol not acceptable"))
        return
    await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
    try:
        await Connection(scope, receive, send, by_cookie=is_ours).serve()
    except asyncio.CancelledError:
        await _say_goodbye(receive, send)


async def _say_goodbye(receive: Receive, send: Send) -> None:
    """Tell the client to come back. uvicorn has said 1012 by now; daphne cancels this first, and can't say 1012."""
    await _close(send, Close(messages.TRY_AGAIN, "Service Restart"))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GOODBYE_SECONDS):
            while (await receive())["type"] != "websocket.disconnect":
                pass


async def _close(send: Send, close: Close) -> None:
    with contextlib.suppress(Exception):
        # The server below may have closed it already, each in its own way.
        await send({"type": "websocket.close", "code": close.code, "reason": close.reason})


class Connection:
    """One client: a task reads, one sends, one watches over who is asking, and each operation has its own."""

    def __init__(self, scope: dict[str, Any], receive: Receive, send: Send, *, by_cookie: bool) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._by_cookie = by_cookie
        self._outbox = Outbox(self._send_text)
        self._init_came = asyncio.Event()
        self._asker: Asker | None = None
        self._standing: Hashable = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(settings.GRAPHQL_MAX_OPERATIONS + WAITING)
        self._tasks = asyncio.TaskGroup()

    async def serve(self) -> None:
        """Serve until either side closes."""
        close = None
        try:
            async with self._tasks:
                self._tasks.create_task(self._outbox.run())
                self._tasks.create_task(self._watch())
                await self._read()
        except* Close as closes:
            close = next(_leaves(closes))
        except* Gone:
            close = Close(messages.TRY_AGAIN, _("The client does not read what it is sent."))
        except* Disconnected:
            pass
        except* DatabaseError as errors:
            # Clients give up after an error of ours, and this one passes.
            logger.error("GraphQL: a socket lost the database: %s", type(next(_leaves(errors))).__name__)
            close = Close(messages.TRY_AGAIN, _("Something went wrong on our side. Please try again."))
        except* Full:
            close = Close(messages.TRY_AGAIN, _("Too much is asked of this server at the moment. Come back later."))
        except* Exception:
            logger.exception("GraphQL: a socket failed")
            close = Close(messages.INTERNAL, _("Something went wrong on our side. Please try again."))
        if close is not None:
            await self._end(close)

    async def _end(self, close: Close) -> None:
        # To somebody who does not read, even this may take for ever.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(settings.GRAPHQL_SEND_SECONDS):
                await _close(self._send, close)

    async def _send_text(self, text: str) -> None:
        try:
            await self._send({"type": "websocket.send", "text": text})
        except OSError:
            raise Gone from None

    async def _read(self) -> None:
        handlers: dict[str, Callable[[Message], Awaitable[None]]] = {
            "connection_init": self._on_init,
            "ping": self._on_ping,
            "pong": self._on_pong,
            "subscribe": self._on_subscribe,
            "complete": self._on_complete,
        }
        while True:
            event = await self._receive()
            if event["type"] == "websocket.disconnect":
                raise Disconnected
            text = event.get("text")
            if text is None:
                raise Close(messages.BAD_MESSAGE, _("Send text, not binary messages."))
            if len(text) > MAX_MESSAGE:
                raise Close(messages.BAD_MESSAGE, _("The message is too large: send the operation over HTTP."))
            message = messages.read(text)
            await handlers[message.type](message)

    # --- what the client says -------------------------------------------------------------------------------------

    async def _on_init(self, message: Message) -> None:
        if self._init_came.is_set():
            raise Close(messages.TOO_MANY_INITS, "Too many initialisation requests")
        self._init_came.set()
        self._tasks.create_task(self._initialise(message.payload or {}))

    async def _on_ping(self, message: Message) -> None:
        await self._outbox.put(messages.written("pong", payload=message.payload))

    async def _on_pong(self, message: Message) -> None:
        self._outbox.confirm()

    async def _on_subscribe(self, message: Message) -> None:
        if self._asker is None:
            raise Close(messages.LOG_IN, "Unauthorized")
        if message.id in self._operations:
            raise Close(messages.SUBSCRIBER_EXISTS, f"Subscriber for {message.id} already exists")
        assert message.parameters is not None
        await self._room.acquire()
        person = self._asker.user.pk
        operation = self._operate(message.id, message.parameters, is_one_too_many=self._is_full(person))
        task = self._operations[message.id] = self._tasks.create_task(operation)
        _running[person] += 1
        task.add_done_callback(lambda done: self._operation_ended(person))

    async def _on_complete(self, message: Message) -> None:
        operation = self._operations.pop(message.id, None)
        if operation is not None:
            operation.cancel()

    def _is_full(self, person: Hashable) -> bool:
        if len(self._operations) >= settings.GRAPHQL_MAX_OPERATIONS:
            return True
        return _running[person] >= settings.GRAPHQL_MAX_OPERATIONS_PER_PERSON

    def _operation_ended(self, person: Hashable) -> None:
        self._room.release()
        _running[person] -= 1
        if not _running[person]:
            del _running[person]

    # --- who is asking --------------------------------------------------------------------------------------------

    async def _initialise(self, payload: Mapping[str, Any]) -> None:
        self._asker = await threads.in_turn(seat_of(self._scope).client, self._look_up, payload)
        if self._asker is None:
            raise Close(messages.LOG_IN, _("Log in first, or send the token that you got then."))
        if not seat_of(self._scope).belongs_to(self._asker.user.pk):
            raise Close(TOO_MANY, _("You have too many connections: close one, or come back later."))
        await self._outbox.put(messages.written("connection_ack"))

    def _look_up(self, payload: Mapping[str, Any]) -> Asker | None:
        asker = self._find(payload)
        if asker is not None:
            self._standing = asker.standing()
        return asker

    def _find(self, payload: Mapping[str, Any]) -> Asker | None:
        """By the token in the payload, else in the handshake, else by the cookie where one of our pages sent it."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self._scope["headers"]}
        for given in (payload, headers):
            token = token_in(given)
            if token is not None:
                return asking.by_token(token)
        if not self._by_cookie:
            return None
        key = parse_cookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
        return asking.by_session(key) if key else None

    async def _watch(self) -> None:
        try:
            async with asyncio.timeout(settings.GRAPHQL_INIT_SECONDS):
                await self._init_came.wait()
        except TimeoutError:
            raise Close(messages.INIT_TIMEOUT, "Connection initialisation timeout") from None
        while True:
            await asyncio.sleep(until_next(settings.GRAPHQL_RECHECK_SECONDS))
            if self._asker is not None:
                await self._look_again()

    async def _look_again(self) -> Asker:
        """Who is asking, as of now. Raises Close when that ended or changed."""
        assert self._asker is not None
        now = await _lookups.ask(self._asker)
        if now is None:
            raise Close(messages.LOG_IN, _("You were logged out."))
        if now.standing != self._standing:
            raise Close(messages.REFRESH, _("Your organisations have changed: connect again."))
        self._asker = now.asker
        return now.asker

    # --- operations -----------------------------------------------------------------------------------------------

    async def _operate(self, identifier: str, parameters: Parameters, *, is_one_too_many: bool) -> None:
        assert self._asker is not None
        context = Context(user=self._asker.user, request=None, correlation_id=uuid4())
        correlation_id.set(context.correlation_id)
        try:
            if is_one_too_many:
                raise refusal(
                    _("Too many operations are running on this connection, or on all of yours."), "TOO_MANY_OPERATIONS"
                )
            prepared = await threads.in_turn(threads.person(self._asker.user.pk), _prepare, parameters, context)
            if prepared.kind is OperationType.SUBSCRIPTION:
                await self._stream(identifier, prepared, context)
            else:
                answer = await self._run_checked(prepared, context)
                await self._outbox.put(messages.written("next", identifier, answer))
            last = messages.written("complete", identifier)
        except Refused as refused:
            last = messages.written("error", identifier, told(refused.errors, context.correlation_id))
        except GraphQLError as error:
            # Raised by the stream in its midst.
            last = messages.written("error", identifier, told([error], context.correlation_id))
        except (Close, DatabaseError):
            raise
        except Full:
            last = messages.written("error", identifier, told(too_soon(BUSY_SECONDS).errors, context.correlation_id))
        except Exception as error:
            logger.exception("GraphQL: an operation failed")
            last = messages.written("error", identifier, [masked(context.correlation_id, cause=error)])
        # From its last message on the id is free again, and a client that was quicker has taken it already.
        if self._operations.get(identifier) is asyncio.current_task():
            del self._operations[identifier]
            await self._outbox.put(last)

    async def _stream(self, identifier: str, prepared: Prepared, context: Context) -> None:
        stream = await open_stream(prepared, context)
        try:
            async for payload in stream:
                answer = await self._run_checked(prepared, context, payload)
                await self._outbox.put(messages.written("next", identifier, answer))
        finally:
            # What the subscription listens to is given back now, not when somebody collects the garbage.
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()

    async def _run_checked(self, prepared: Prepared, context: Context, payload: Any = None) -> dict[str, Any]:
        """Execute for who is asking as of now."""
        asker = await self._look_again()
        return await threads.in_turn(
            threads.person(asker.user.pk), run, prepared, context.for_next_event(asker.user), payload
        )


def _prepare(parameters: Parameters, context: Context) -> Prepared:
    refuse_debtors(context.user)
    with charging_refusals(context.user):
        prepared = prepare(parameters)
        charge(context.user, prepared.cost)
    return prepared


def _leaves(group: BaseExceptionGroup[Any]) -> Any:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
