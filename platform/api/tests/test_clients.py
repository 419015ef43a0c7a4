"""Clients that people use, against a real server: npm's graphql-http audits and graphql-ws, Python's gql."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportConnectionFailed, TransportQueryError
from gql.transport.httpx import HTTPXTransport
from gql.transport.websockets import WebsocketsTransport
from websockets.exceptions import ConnectionClosedError

from api.tests.servers import Installation, Server
from tests.javascript import SCRIPTS, node

__all__ = ["node"]

pytestmark = pytest.mark.process


def test_every_audit_of_graphql_http_passes(node: str, server: Server) -> None:
    command = [node, str(SCRIPTS / "audit.mjs"), f"{server.url}/graphql", server.token("alice")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    audits = [json.loads(line) for line in done.stdout.splitlines()]

    assert done.returncode == 0, done.stderr
    assert [audit for audit in audits if audit["status"] != "ok"] == []
    assert len(audits) == 61


@contextmanager
def running(*command: str) -> Iterator[Iterator[list[Any]]]:
    """The lines that a script prints, as they come."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield (json.loads(line) for line in process.stdout)
        finally:
            process.kill()


def until(events: Iterator[list[Any]], wanted: str) -> Any:
    """What the next event of this name says; nothing else may come before it but a pong."""
    for event, detail in events:
        if event == "pong" != wanted:
            continue
        assert event == wanted, (event, detail)
        return detail
    raise AssertionError(f"the script ended without {wanted}")


def test_graphql_ws_does_all_that_it_can(node: str, server: Server, members: Installation) -> None:
    token = server.token("bob")
    url = f"ws://localhost:{server.port}/graphql"
    with running(node, str(SCRIPTS / "graphql-ws.mjs"), url, token) as events:
        until(events, "connected")
        assert until(events, "query") == {"results": [{"data": {"echo": "Zürich"}}]}
        assert until(events, "mutation") == {"results": [{"data": {"rename": {"name": "Bob"}}}]}
        assert until(events, "counts") == [
            {"results": [{"data": {"count": 1}}, {"data": {"count": 2}}]},
            {"results": [{"data": {"count": 1}}, {"data": {"count": 2}}, {"data": {"count": 3}}]},
        ]
        assert until(events, "invalid")["errors"][0]["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
        midway = until(events, "midway")
        assert midway["results"] == [{"data": {"refusesMidway": 1}}]
        assert midway["errors"][0]["message"] == "The submission was deleted."
        assert until(events, "returned") == 3
        until(events, "ticking")

        # What the person sees has changed: the client comes back by itself.
        members.execute("DELETE FROM accounts_membership WHERE user_id = ?", members.id_of("bob"))
        assert until(events, "closed") == 4403
        until(events, "connected")
        until(events, "ticking")

        # The person has logged out: the client gives up.
        server.ask("/_allauth/app/v1/auth/session", method="DELETE", X_Session_Token=token)
        assert until(events, "closed") == 4401
        assert until(events, "error") == 4401


def test_graphql_ws_answers_the_servers_pings_and_asks_itself(node: str, uvicorn: Server) -> None:
    url, token = f"ws://localhost:{uvicorn.port}/graphql", uvicorn.token("alice")
    with running(node, str(SCRIPTS / "flood.mjs"), url, token) as events:
        assert until(events, "received") == 50 * 100_000
        until(events, "pong")


def headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_gql_asks_over_http(server: Server) -> None:
    transport = HTTPXTransport(url=f"{server.url}/graphql", headers=headers(server.token("alice")))
    with Client(transport=transport, fetch_schema_from_transport=True) as session:
        assert session.client.schema is not None
        assert session.execute(GraphQLRequest("{ email }")) == {"email": "alice@example.org"}
        with pytest.raises(TransportQueryError, match="There is no such report"):
            session.execute(GraphQLRequest("{ refused }"))


def test_gql_without_a_token_is_told_so(server: Server) -> None:
    with (
        Client(transport=HTTPXTransport(url=f"{server.url}/graphql")) as session,
        pytest.raises(TransportQueryError, match="Log in first"),
    ):
        session.execute(GraphQLRequest("{ email }"))


def websocket(server: Server, token: str) -> WebsocketsTransport:
    return WebsocketsTransport(
        url=f"ws://localhost:{server.port}/graphql",
        init_payload=headers(token),
        subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        ping_interval=0.2,
        pong_timeout=10,
    )


async def test_gql_subscribes(server: Server) -> None:
    async with Client(transport=websocket(server, server.token("alice"))) as session:
        counted = [event["count"] async for event in session.subscribe(GraphQLRequest("subscription { count(to: 3) }"))]
        assert counted == [1, 2, 3]
        assert await session.execute(GraphQLRequest("{ email }")) == {"email": "alice@example.org"}
        with pytest.raises(TransportQueryError, match="There is no such submission"):
            async for _event in session.subscribe(GraphQLRequest("subscription { refusesAtOnce }")):
                pass


async def test_gql_is_refused_with_a_wrong_token(server: Server) -> None:
    with pytest.raises(TransportConnectionFailed) as refused:
        async with Client(transport=websocket(server, "wrong")):
            pass

    cause = refused.value.__cause__
    assert isinstance(cause, ConnectionClosedError)
    assert cause.rcvd is not None
    assert cause.rcvd.code == 4401
