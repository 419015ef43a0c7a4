"""Whose X-Forwarded-For and X-Forwarded-Proto are believed: only TRUSTED_PROXIES decides."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from django.http import HttpRequest
from django.test import RequestFactory
from pytest_django import Settings

from accounts.adapter import AccountAdapter
from config.embedded import server

FORGED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}


async def _tell(scope: Any, receive: Any, send: Any) -> None:
    """An application that says what its server made of the request."""
    body = json.dumps({"client": scope["client"][0], "scheme": scope["scheme"]}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def embedded_server() -> Iterator[int]:
    """The server as the embedded mode sets it up, in front of that application; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = server.configuration(_tell)
        running = uvicorn.Server(config)
        running.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        running.should_exit = True
        thread.join(10)


def test_the_embedded_server_believes_no_program_on_this_machine(embedded_server: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", embedded_server, timeout=10)
    connection.request("GET", "/", headers=FORGED)

    assert json.load(connection.getresponse()) == {"client": "127.0.0.1", "scheme": "http"}
    connection.close()


def _address(trusted: int, forwarded: str | None, settings: Settings) -> str:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = trusted
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    request: HttpRequest = RequestFactory(REMOTE_ADDR="192.0.2.1").get("/", headers=headers)
    return AccountAdapter(request).get_client_ip(request)


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.7, 203.0.113.9", "198.51.100.7"),
        (2, "203.0.113.9", "192.0.2.1"),
        (1, None, "192.0.2.1"),
        (1, "nonsense", "192.0.2.1"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
    ],
)
def test_the_address_of_a_client_is_what_the_last_trusted_proxy_says(
    trusted: int, forwarded: str | None, address: str, settings: Settings
) -> None:
    assert _address(trusted, forwarded, settings) == address
