"""Who is asking over WebSocket: the same two ways as over HTTP, and no others."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus

from api.tests.servers import Server
from api.tests.sockets import Socket, opened

pytestmark = pytest.mark.process


@pytest.fixture
def token(server: Server) -> str:
    return server.token("alice")


async def email(socket: Socket, payload: object = None) -> str:
    """Whom the server takes the client for."""
    await socket.say("connection_init", payload=payload)
    assert await socket.hear() == {"type": "connection_ack"}
    await socket.subscribe("1", "{ email }")
    return str((await socket.hear())["payload"]["data"]["email"])


async def test_a_page_of_ours_is_known_by_its_cookie(server: Server, token: str) -> None:
    async with opened(server, origin=server.url, headers={"Cookie": f"sessionid={token}"}) as socket:
        assert await email(socket) == "alice@example.org"


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://localhost:{port}",
        "http://localhost",
        "http://localhost:1",
        "http://127.0.0.1:{port}",
        "http://evil.example.org",
        "http://localhost.evil.example.org:{port}",
    ],
)
async def test_a_page_of_another_origin_is_refused_at_the_handshake(server: Server, token: str, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with opened(server, origin=origin.format(port=server.port), headers={"Cookie": f"sessionid={token}"}):
            pass

    assert refused.value.response.status_code == 403


async def test_without_an_origin_a_cookie_counts_for_nothing(server: Server, token: str) -> None:
    async with opened(server, headers={"Cookie": f"sessionid={token}"}) as socket:
        await socket.say("connection_init")

        assert await socket.closed() == 4401


@pytest.mark.parametrize("form", ["Authorization=Bearer {}", "authorization=bearer {}", "X-Session-Token={}"])
async def test_a_token_counts_in_the_payload_of_init(server: Server, token: str, form: str) -> None:
    name, value = form.split("=")
    async with opened(server) as socket:
        assert await email(socket, {name: value.format(token)}) == "alice@example.org"


@pytest.mark.parametrize("form", ["Authorization=Bearer {}", "X-Session-Token={}"])
async def test_a_token_counts_in_the_headers_of_the_handshake(server: Server, token: str, form: str) -> None:
    name, value = form.split("=")
    async with opened(server, headers={name: value.format(token)}) as socket:
        assert await email(socket) == "alice@example.org"


async def test_beside_a_token_the_cookie_is_ignored(server: Server, token: str) -> None:
    other = server.token("charlie")
    async with opened(server, origin=server.url, headers={"Cookie": f"sessionid={token}"}) as socket:
        assert await email(socket, {"Authorization": f"Bearer {other}"}) == "charlie@example.org"


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic YWxpY2U6eA=="},
        {"Authorization": ""},
        {"Authorization": 1},
        {"X-Session-Token": ["x"]},
        {"X-Session-Token": "\0"},
    ],
)
async def test_without_a_good_token_it_closes_with_4401(server: Server, payload: object) -> None:
    async with opened(server) as socket:
        await socket.say("connection_init", payload=payload)

        assert await socket.closed() == 4401


async def test_a_wrong_token_is_refused_even_beside_a_good_cookie(server: Server, token: str) -> None:
    async with opened(server, origin=server.url, headers={"Cookie": f"sessionid={token}"}) as socket:
        await socket.say("connection_init", payload={"Authorization": "Bearer wrong"})

        assert await socket.closed() == 4401
