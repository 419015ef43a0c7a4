"""Whatever is said on a socket: the server answers by the protocol, or closes with one of its codes."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from api import messages
from api.messages import Close, Message
from api.tests.servers import Server

pytestmark = pytest.mark.thorough

CODES = {4400, 4401, 4409, 4429}
"""What a client's own doing may end with."""
ANSWERS = {"connection_ack", "next", "error", "complete", "ping", "pong"}
IDS = ("1", "2", "")
OPERATIONS = (
    "{ email }",
    "{ refused }",
    "{ nothing }",
    "{",
    "subscription { count(to: 3) }",
    "subscription { refusesAtOnce }",
    "query ($a: Int) { email }",
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
parameters = st.fixed_dictionaries(
    {"query": st.sampled_from(OPERATIONS)},
    optional={"variables": anything, "operationName": anything, "extensions": anything},
)
well_formed = st.one_of(
    st.fixed_dictionaries({"type": st.sampled_from(("ping", "pong"))}, optional={"payload": st.just({"a": [1]})}),
    st.fixed_dictionaries({"type": st.just("complete"), "id": st.sampled_from(IDS[:2])}),
    st.fixed_dictionaries({"type": st.just("subscribe"), "id": st.sampled_from(IDS[:2]), "payload": parameters}),
)
ill_formed = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(("connection_init", "connection_ack", "subscribe", "complete", "ping", "next"))
        | anything,
        "id": st.sampled_from(IDS) | anything,
        "payload": parameters | anything,
    },
)
frames = st.lists(
    well_formed.map(json.dumps) | ill_formed.map(json.dumps) | st.text(max_size=20) | st.binary(max_size=20),
    min_size=1,
    max_size=6,
)


@example('{"type": "ping", "payload": {"number": NaN}}')
@given(st.one_of(anything.map(json.dumps), ill_formed.map(json.dumps), well_formed.map(json.dumps), st.text()))
def test_any_text_is_a_message_or_closes_the_socket(text: str) -> None:
    found = read(text)

    if isinstance(found, Close):
        assert found.code == messages.BAD_MESSAGE
        assert len(found.reason) <= 123
    else:
        assert isinstance(json.loads(messages.written("pong", "1", found.payload), parse_constant=no_json), dict)


def read(text: str) -> Message | Close:
    try:
        return messages.read(text)
    except Close as close:
        return close


@pytest.fixture(scope="module")
def token(uvicorn: Server) -> str:
    return uvicorn.token("alice")


def no_json(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


@pytest.mark.process
@settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "60")))
@given(said=frames, is_logged_in=st.booleans())
def test_whatever_is_said_the_server_keeps_to_the_protocol(
    uvicorn: Server, token: str, said: list[Any], is_logged_in: bool
) -> None:
    before = uvicorn.log.stat().st_size

    code = talk(uvicorn, token if is_logged_in else "", said)

    assert code in CODES | {None}
    assert uvicorn.log.read_bytes()[before:] == b""


def talk(server: Server, token: str, said: list[Any]) -> int | None:
    """Say it all; gives the code with which the server closes, None where it goes on."""
    address = f"ws://localhost:{server.port}/graphql"
    try:
        with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None) as socket:
            if token:
                payload = {"Authorization": f"Bearer {token}"}
                socket.send(json.dumps({"type": "connection_init", "payload": payload}))
                assert json.loads(socket.recv(30))["type"] == "connection_ack"
            for each in said:
                socket.send(each)
            # Answered last: by then everything before was read.
            socket.send('{"type": "ping", "payload": {"last": true}}')
            while (heard := json.loads(socket.recv(30), parse_constant=no_json)).get("payload") != {"last": True}:
                assert heard["type"] in ANSWERS
            return None
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 0
