"""Handshakes of WebSockets: from our pages only, and a refusal is no error."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.test import Client
from pytest_django import Settings

from config.asgi import application

HOST = b"localhost:8000"
OURS = [(b"host", HOST), (b"origin", b"http://localhost:8000")]

pytestmark = pytest.mark.django_db(transaction=True)


async def answer(headers: list[tuple[bytes, bytes]], client: Client, path: str = "/ws/reports/") -> str:
    """What the server says to a handshake with this client's session: websocket.accept or websocket.close."""
    cookie = (b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode())
    scope = {"type": "websocket", "path": path, "headers": [*headers, cookie], "subprotocols": []}
    communicator: Any = ApplicationCommunicator
    server = communicator(application, scope)
    await server.send_input({"type": "websocket.connect"})
    said = await server.receive_output(timeout=5)
    await server.send_input({"type": "websocket.disconnect", "code": 1000})
    await server.wait(timeout=5)
    return str(said["type"])


async def test_our_own_page_is_let_in(alice_client: Client) -> None:
    assert await answer(OURS, alice_client) == "websocket.accept"


async def test_behind_a_server_that_changes_the_host_the_base_url_is_let_in(alice_client: Client) -> None:
    headers = [(b"host", b"upstream"), (b"origin", b"http://localhost:8000")]

    assert await answer(headers, alice_client) == "websocket.accept"


@pytest.mark.parametrize(
    "headers",
    [
        [(b"host", HOST)],
        [(b"host", HOST), (b"origin", b"http://evil.example.org")],
        [(b"host", HOST), (b"origin", b"null")],
        [(b"host", HOST), (b"origin", b"http://localhost:9999")],
        [(b"host", HOST), (b"origin", b"http://localhost")],
        [(b"host", HOST), (b"origin", b"ftp://localhost:8000")],
        [(b"host", b"testserver"), (b"origin", b"https://testserver")],
        [(b"host", HOST), (b"origin", b"http://[::1")],
        [(b"host", HOST), (b"origin", b"http://localhost:abc")],
        [*OURS, (b"origin", b"http://evil.example.org")],
        [(b"host", b"evil.example.org"), (b"origin", b"http://evil.example.org")],
        [(b"origin", b"http://evil.example.org")],
        [],
    ],
)
async def test_a_page_that_is_not_ours_is_refused(alice_client: Client, headers: list[tuple[bytes, bytes]]) -> None:
    assert await answer(headers, alice_client) == "websocket.close"


@pytest.mark.parametrize("path", ["/", "/ws/", "/ws/reports", "/ws/reports/more", "/reports/", "/\0\n"])
async def test_an_address_without_a_socket_is_refused_without_an_error(alice_client: Client, path: str) -> None:
    assert await answer(OURS, alice_client, path) == "websocket.close"


async def test_a_page_too_many_of_one_person_is_refused(alice_client: Client, settings: Settings) -> None:
    settings.SOCKETS_PER_PERSON = 0

    assert await answer(OURS, alice_client) == "websocket.close"
