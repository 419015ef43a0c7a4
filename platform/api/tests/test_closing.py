"""A socket ends with the right of the one who opened it, and with the server."""

from __future__ import annotations

import asyncio
import time

import pytest

from api.tests.servers import PASSWORD, Installation, Server
from api.tests.sockets import logged_in, opened

pytestmark = pytest.mark.process

OPERATIONS = ["subscription { silence }", "subscription { ticks }", ""]


@pytest.fixture(params=OPERATIONS, ids=["idle", "busy", "none"])
def query(request: pytest.FixtureRequest) -> str:
    """What the socket is doing meanwhile."""
    return str(request.param)


async def end_session(server: Server, token: str) -> None:
    answer = await asyncio.to_thread(
        server.ask, "/_allauth/app/v1/auth/session", method="DELETE", X_Session_Token=token
    )
    assert answer.status == 401  # what allauth says to somebody who is logged out now


async def test_logging_out_closes_with_4401(server: Server, query: str) -> None:
    token = server.token("bob")
    async with logged_in(server, token) as socket:
        if query:
            await socket.subscribe("1", query)
        await end_session(server, token)

        assert await socket.closed() == 4401


async def test_changing_the_password_closes_the_other_sockets_with_4401(server: Server) -> None:
    token, other = server.token("charlie"), server.token("charlie")
    new = {"current_password": PASSWORD, "new_password": PASSWORD + "!"}
    async with logged_in(server, other) as socket:
        answer = await asyncio.to_thread(
            server.ask, "/_allauth/app/v1/account/password/change", new, X_Session_Token=token
        )
        assert answer.status == 200, answer.body

        assert await socket.closed() == 4401
    back = {"current_password": PASSWORD + "!", "new_password": PASSWORD}
    token = answer.json["meta"].get("session_token", token)
    again = await asyncio.to_thread(server.ask, "/_allauth/app/v1/account/password/change", back, X_Session_Token=token)
    assert again.status == 200, again.body


async def test_deactivating_the_person_closes_with_4401(server: Server, query: str, members: Installation) -> None:
    async with logged_in(server, server.token("bob")) as socket:
        if query:
            await socket.subscribe("1", query)
        server.installation.execute("UPDATE accounts_user SET is_active = 0 WHERE email = 'bob@example.org'")

        assert await socket.closed() == 4401


async def test_losing_a_membership_closes_with_4403(server: Server, query: str, members: Installation) -> None:
    installation = server.installation
    async with logged_in(server, server.token("bob")) as socket:
        if query:
            await socket.subscribe("1", query)
        installation.execute("DELETE FROM accounts_membership WHERE user_id = ?", installation.id_of("bob"))

        assert await socket.closed() == 4403


async def test_gaining_a_membership_closes_with_4403_so_that_the_client_connects_anew(
    server: Server, members: Installation
) -> None:
    installation = server.installation
    async with logged_in(server, server.token("charlie")) as socket:
        installation.execute(
            "UPDATE accounts_membership SET user_id = ? WHERE user_id = ?",
            installation.id_of("charlie"),
            installation.id_of("bob"),
        )

        assert await socket.closed() == 4403


async def test_nothing_is_delivered_after_logging_out_however_rarely_it_is_looked_up(
    installation: Installation,
) -> None:
    server = Server("uvicorn", installation, GRAPHQL_RECHECK_SECONDS="60")
    try:
        token = server.token("bob")
        async with logged_in(server, token) as socket:
            await socket.subscribe("1", "subscription { ticks }")
            await socket.hear()
            await end_session(server, token)

            assert await socket.closed() == 4401
        token = server.token("bob")
        async with logged_in(server, token) as socket:
            await end_session(server, token)
            await socket.subscribe("1", 'mutation { rename(name: "Mallory") { name } }')

            assert await socket.closed() == 4401
        assert server.installation.execute("SELECT name FROM accounts_user WHERE name = 'Mallory'") == []
    finally:
        server.stop()


@pytest.mark.parametrize("query", OPERATIONS, ids=["idle", "busy", "none"])
async def test_a_database_that_is_away_closes_with_4503_so_that_clients_come_back(uvicorn: Server, query: str) -> None:
    execute = uvicorn.installation.execute
    async with logged_in(uvicorn, uvicorn.token("alice")) as socket:
        if query:
            await socket.subscribe("1", query)
        execute("ALTER TABLE django_session RENAME TO away")
        try:
            assert await socket.closed() == 4503
        finally:
            execute("ALTER TABLE away RENAME TO django_session")


@pytest.mark.parametrize(("kind", "code"), [("uvicorn", 1012), ("daphne", 4503)])
async def test_stopping_the_server_closes_with_a_code_on_which_clients_come_back(
    installation: Installation, kind: str, code: int
) -> None:
    server = Server(kind, installation)
    try:
        async with logged_in(server, server.token("alice")) as socket, opened(server) as unknown:
            await socket.subscribe("1", "subscription { ticks }")
            # Within a second of a handshake daphne trips over its own books and just drops the connections: clients
            # see 1006 then, and come back as well.
            deadline = time.monotonic() + (2 if kind == "daphne" else 0)
            while time.monotonic() < deadline:
                await socket.hear()
            await asyncio.to_thread(server.stop)

            assert await socket.closed() == code
            assert await unknown.closed() == code
        assert server.process.returncode in (0, -15)
    finally:
        server.stop()
