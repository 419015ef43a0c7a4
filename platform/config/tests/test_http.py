from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.db import connection, connections
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

from config.http import PooledHandler
from eventbus.context import request_arrived
from fairness.pool import Pool, Room
from fairness.turns import Client, Turns


def whoami(request: HttpRequest) -> HttpResponse:
    """Name the thread and its database connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse(f"{threading.current_thread().name} {id(connection.connection)}")


def arrival(request: HttpRequest) -> HttpResponse:
    """When the request arrived."""
    return HttpResponse(str(request_arrived.get()))


urlpatterns = [path("whoami", whoami), path("arrival", arrival)]

SCOPE: dict[str, Any] = {
    "type": "http",
    "http_version": "1.1",
    "method": "GET",
    "path": "/whoami",
    "query_string": b"",
    "headers": [(b"host", b"localhost")],
}


async def get(handler: PooledHandler, path: str = "/whoami") -> bytes:
    """The body that a browser would receive."""
    return (await answer(handler, path))[2]


async def answer(
    handler: PooledHandler, path: str, form: bytes = b"", **headers: bytes
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body that a browser would receive."""
    sent: list[dict[str, Any]] = []
    body = [{"type": "http.request", "body": form, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return body.pop() if body else await asyncio.Future()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    more = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    scope = {**SCOPE, "path": path, "method": "POST" if form else "GET", "headers": [*SCOPE["headers"], *more]}
    await handler(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent)


@pytest.mark.django_db(transaction=True)
@override_settings(ROOT_URLCONF=__name__)
async def test_requests_run_whole_in_a_thread_that_keeps_its_connection() -> None:
    handler = PooledHandler(threads=1)

    first, second = await get(handler), await get(handler)
    await handler._pool.run(Client(), connections.close_all)
    handler._pool.shutdown()

    assert first.startswith(b"http_0 ")
    assert first == second


@pytest.mark.django_db(transaction=True)
@override_settings(ROOT_URLCONF=__name__)
async def test_a_request_arrives_when_the_server_gets_it_and_not_when_a_thread_has_time_for_it() -> None:
    handler = PooledHandler(threads=1)
    busy = threading.Event()
    working = asyncio.create_task(handler._pool.run(Client(), busy.wait))
    await asyncio.sleep(0)

    waiting = asyncio.create_task(get(handler, "/arrival"))
    await asyncio.sleep(0)
    freed = time.monotonic()
    busy.set()

    assert float(await waiting) < freed
    assert request_arrived.get() is None
    await working
    handler._pool.shutdown()


BUSY = "Too much is asked of this server at the moment, and this was not done. Try again in a few seconds."


@pytest.fixture
async def full() -> AsyncIterator[PooledHandler]:
    """A handler of which everything is at work, and nothing may wait."""
    handler = PooledHandler(threads=1)
    handler._pool.shutdown()
    handler._pool = Pool(Turns(), 1, "http", Room(0, 0, 1.0))
    busy = threading.Event()
    working = asyncio.create_task(handler._pool.run(Client(), busy.wait))
    await asyncio.sleep(0)
    yield handler
    busy.set()
    await working
    handler._pool.shutdown()


async def test_where_too_much_waits_the_answer_is_503_with_retry_after(full: PooledHandler) -> None:
    status, headers, body = await answer(full, "/whoami")

    assert (status, headers[b"Retry-After"]) == (503, b"5")
    assert headers[b"Content-Type"] == b"text/plain; charset=utf-8"
    assert body.decode() == BUSY


@pytest.mark.parametrize(
    ("path", "headers", "wanted"),
    [
        ("/graphql", {}, {"errors": [{"message": BUSY, "extensions": {"code": "SERVICE_UNAVAILABLE"}}]}),
        ("/whoami", {b"accept": b"application/json"}, {"error": "unavailable", "message": BUSY}),
        (
            "/_allauth/app/v1/auth/login",
            {},
            {"status": 503, "errors": [{"message": BUSY, "code": "unavailable"}]},
        ),
    ],
)
async def test_programs_are_told_so_in_their_own_form(
    full: PooledHandler, path: str, headers: dict[bytes, bytes], wanted: object
) -> None:
    status, _headers, body = await answer(full, path, **{name.decode(): value for name, value in headers.items()})

    assert status == 503
    assert json.loads(body) == wanted


async def test_where_others_wait_a_page_keeps_what_its_form_held(full: PooledHandler) -> None:
    full._pool._room = Room(0, 1, 1.0)
    form = b"name=Alice+of+Acme"

    status, _headers, page = await answer(
        full, "/whoami", form, content_type=b"application/x-www-form-urlencoded", accept=b"text/html"
    )

    assert status == 503
    assert BUSY in page.decode()
    assert 'value="Alice of Acme"' in page.decode()
