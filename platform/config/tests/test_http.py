from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from django.db import connection, connections
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

from config.http import PooledHandler
from eventbus.context import request_arrived


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
    sent: list[dict[str, Any]] = []
    body = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        return body.pop() if body else await asyncio.Future()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await handler({**SCOPE, "path": path}, receive, send)
    return b"".join(message.get("body", b"") for message in sent)


@pytest.mark.django_db(transaction=True)
@override_settings(ROOT_URLCONF=__name__)
async def test_requests_run_whole_in_a_thread_that_keeps_its_connection() -> None:
    handler = PooledHandler(threads=1)

    first, second = await get(handler), await get(handler)
    handler._pool.submit(connections.close_all).result()
    handler._pool.shutdown()

    assert first.startswith(b"http_0 ")
    assert first == second


@pytest.mark.django_db(transaction=True)
@override_settings(ROOT_URLCONF=__name__)
async def test_a_request_arrives_when_the_server_gets_it_and_not_when_a_thread_has_time_for_it() -> None:
    handler = PooledHandler(threads=1)
    busy = threading.Event()
    handler._pool.submit(busy.wait)

    waiting = asyncio.create_task(get(handler, "/arrival"))
    await asyncio.sleep(0)
    freed = time.monotonic()
    busy.set()

    assert float(await waiting) < freed
    assert request_arrived.get() is None
    handler._pool.shutdown()
