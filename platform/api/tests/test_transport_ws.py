"""graphql-transport-ws to the letter, on each server: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md"""

from __future__ import annotations

import json

import pytest

from api.tests.servers import Server
from api.tests.sockets import logged_in, opened

pytestmark = pytest.mark.process

SORRY = "Something went wrong on our side. Please try again."


@pytest.fixture
def token(server: Server) -> str:
    return server.token("alice")


# --- the connection ------------------------------------------------------------------------------------------------


async def test_the_subprotocol_is_agreed_on(server: Server) -> None:
    async with opened(server, subprotocols=("graphql-ws", "graphql-transport-ws")) as socket:
        assert socket.connection.subprotocol == "graphql-transport-ws"


@pytest.mark.parametrize("subprotocols", [(), ("graphql-ws",)])
async def test_another_subprotocol_closes_with_4406(server: Server, subprotocols: tuple[str, ...]) -> None:
    async with opened(server, subprotocols=subprotocols) as socket:
        assert await socket.closed() == 4406


async def test_init_is_acknowledged(server: Server, token: str) -> None:
    async with opened(server) as socket:
        await socket.log_in(token)


async def test_without_init_it_closes_with_4408(server: Server) -> None:
    async with opened(server) as socket:
        assert await socket.closed() == 4408


async def test_a_second_init_closes_with_4429(server: Server, token: str) -> None:
    async with logged_in(server, token) as socket:
        await socket.say("connection_init")

        assert await socket.closed() == 4429


async def test_a_second_init_before_the_acknowledgement_closes_with_4429(server: Server, token: str) -> None:
    async with opened(server) as socket:
        await socket.say("connection_init", payload={"Authorization": f"Bearer {token}"})
        await socket.say("connection_init", payload={"Authorization": f"Bearer {token}"})

        assert await socket.closed() == 4429


async def test_subscribing_before_init_closes_with_4401(server: Server) -> None:
    async with opened(server) as socket:
        await socket.subscribe("1", "{ email }")

        assert await socket.closed() == 4401


@pytest.mark.parametrize("payload", [None, {"key": "value"}])
async def test_a_ping_is_answered_before_init_and_after(
    server: Server, token: str, payload: dict[str, str] | None
) -> None:
    answer = {"type": "pong"} if payload is None else {"type": "pong", "payload": payload}
    async with opened(server) as socket:
        await socket.say("ping", payload=payload)
        assert await socket.hear() == answer

        await socket.log_in(token)
        await socket.say("ping", payload=payload)
        assert await socket.hear() == answer


async def test_many_pings_at_once_are_answered_each(server: Server) -> None:
    async with opened(server) as socket:
        for number in range(100):
            await socket.say("ping", payload={"number": number})

        assert [(await socket.hear())["payload"]["number"] for _ in range(100)] == list(range(100))


async def test_a_pong_that_nobody_asked_for_is_taken(server: Server, token: str) -> None:
    async with opened(server) as socket:
        await socket.say("pong")
        await socket.log_in(token)
        await socket.say("pong", payload={"key": "value"})
        await socket.say("ping")

        assert await socket.hear() == {"type": "pong"}


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "no json",
        "[" * 5000,
        "null",
        "[]",
        '"text"',
        "{}",
        '{"type": 1}',
        '{"type": null}',
        '{"type": "unknown"}',
        '{"type": "connection_ack"}',
        '{"type": "next", "id": "1"}',
        '{"type": "connection_init", "payload": "text"}',
        '{"type": "connection_init", "payload": []}',
        '{"type": "ping", "payload": 1}',
        '{"type": "pong", "payload": "text"}',
        '{"type": "complete"}',
        '{"type": "complete", "id": 1}',
        '{"type": "subscribe", "payload": {"query": "{ email }"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ email }"}}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ email }"}}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": null}',
        '{"type": "subscribe", "id": "1", "payload": "{ email }"}',
        '{"type": "subscribe", "id": "1", "payload": [{"query": "{ email }"}]}',
        '{"type": "subscribe", "id": "1", "payload": {}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 1}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": null}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ email }", "variables": "text"}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ email }", "variables": []}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ email }", "operationName": 1}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ email }", "extensions": "text"}}',
        b'{"type": "ping"}',
        b"\xff\x00",
    ],
)
async def test_what_the_protocol_does_not_know_closes_with_4400(server: Server, frame: str | bytes) -> None:
    async with opened(server) as socket:
        await socket.send(frame)

        assert await socket.closed() == 4400


async def test_what_the_protocol_does_not_know_closes_with_4400_in_the_midst_of_operations(
    server: Server, token: str
) -> None:
    async with logged_in(server, token) as socket:
        await socket.subscribe("1", "subscription { ticks }")
        await socket.hear()
        await socket.send("no json")

        assert await socket.closed() == 4400


async def test_a_message_that_is_too_large_closes_the_connection(server: Server, token: str) -> None:
    async with logged_in(server, token) as socket:
        await socket.send(json.dumps({"type": "ping", "payload": {"text": "x" * 70_000}}))

        # uvicorn refuses it by itself.
        assert await socket.closed() == {"uvicorn": 1009, "daphne": 4400}[server.kind]


async def test_the_reason_is_told(uvicorn: Server) -> None:
    async with opened(uvicorn) as socket:
        await socket.send("no json")

        assert await socket.closed_because() == (4400, "The message is no JSON.")


# --- operations ----------------------------------------------------------------------------------------------------


async def test_a_query_is_answered_once_and_completed(server: Server, token: str) -> None:
    async with logged_in(server, token) as socket:
        await socket.subscribe("1", "query ($text: String!) { email echo(text: $text) viaHttp }", text="Zürich")

        data = {"email": "alice@example.org", "echo": "Zürich", "viaHttp": False}
        assert await socket.hear_all("1") == [
            {"type": "next", "id": "1", "payload": {"data": data}},
            {"type": "complete", "id": "1"},
        ]


async def test_a_mutation_is_executed(server: Server, token: str) -> None:
    async with logged_in(server, token) as socket:
        await socket.subscribe("1", 'mutation { rename(name: "Alicia") { name } }')

        assert await socket.hear_all("1") == [
            {"type": "next", "id": "1", "payload": {"data": {"rename": {"name": "Alicia"}}}},
            {"type": "complete", "id": "1"},
        ]
    stored = server.installation.execute("SELECT name FROM accounts_user WHERE email = 'alice@example.org'")
    assert stored == [("Alicia",)]


async def test_a_subscription_delivers_every_event_and_then_completes(server: Server, token: str) -> None:
    async with logged_in(server, token) as socket:
        await socket.subscribe("1", "subscription ($to: Int!) { count(to: $to) }", to=3)

        assert await socket.hear_all("1") == [
            {"type": "next", "id": "1", "payload": {"data": {"count": 1}}},
            {"type": "next", "id": "1", "payload": {"data": {"count": 2}}},
            {"type": "next", "id": "1", "payload": {"data": {"count": 3}}},
            {"type": "complete", "id": "1"},
        ]


async def test_a_resolver_of_an_event_may_use_the_database(server: Server, token: str) -> None:
    async with logged_in(server, token) as socket:
        await socket.subscribe("1", 'mutation { rename(name: "Alice") { name } }')
        await socket.hear_all("1")
        await socket.subscribe("2", "subscription { names }")

        assert await socket.hear() == {"type": "next", "id": "2", "payload": {"data": {"names": "Alice"}}}


async def test_several_operations_run_on_one_connection(server: Server, token: str) -> None:
    async with logged_in(server, token) as socket:
        await socket.subscribe("a", "subscription { count(to: 2) }")
        await socket.subscribe("b", "subscription { count(to: 3) }")
        await socket.subscribe("c", "{ email }")
        heard = [await socket.hear() for _message in range(9)]

    by_id = {name: [message for message in heard if message["id"] == name] for name in "abc"}
    assert [message["type"] for message in by_id["a"]] == ["next", "next", "complete"]
    assert [message["type"] for message in by_id["b"]] == ["next", "next", "next", "complete"]
    assert [message["type"] for message in by_id["c"]] == ["next", "complete"]


async def test_the_id_of_a_running_operation_closes_with_4409(server: Server, token: str) -> None:
    async with logged_in(server, token) as socket:
        await socket.subscribe("twice", "subscription { silence }")
        await socket.subscribe("twice", "{ email }")

        assert await socket.closed() == 4409


async def test_an_id_that_is_no_text_of_unicode_closes_with_4409_too(server: Server, token: str) -> None:
    async with logged_in(server, token) as socket:
        await socket.subscribe("\ud800", "subscription { silence }")
        await socket.subscribe("\ud800", "subscription { silence }")

        assert await socket.closed() == 4409


async def test_an_id_is_free_again_once_its_operation_has_completed(server: Server, token: str) -> None:
    async with logged_in(server, token) as socket:
        for _time in range(3):
            await socket.subscribe("1", "{ email }")
            assert (await socket.hear_all("1"))[-1] == {"type": "complete", "id": "1"}


async def test_an_id_is_free_again_once_the_client_has_completed_it(server: Server, token: str) -> None:
    async with logged_in(server, token) as socket:
        await socket.subscribe("1", "subscription { silence }")
        await socket.say("complete", "1")
        await socket.subscribe("1", "{ email }")

        assert await socket.hear_all("1") == [
            {"type": "next", "id": "1", "payload": {"data": {"email": "alice@example.org"}}},
            {"type": "complete", "id": "1"},
        ]


async def test_a_completed_operation_says_nothing_more(server: Server, token: str) -> None:
    async with logged_in(server, token) as socket:
        await socket.subscribe("1", "subscription { ticks }")
        await socket.hear()
        await socket.say("complete", "1")
        # What was on its way may still come; after an answer that was asked for later, nothing does.
        await socket.subscribe("2", "subscription { count(to: 5) }")
        heard = await socket.hear_all("2")
        await socket.subscribe("3", "subscription { count(to: 5) }")
        after = await socket.hear_all("3")

    assert {"type": "complete", "id": "1"} not in heard
    assert {message["id"] for message in after} == {"3"}


async def test_completing_what_does_not_run_is_ignored(server: Server, token: str) -> None:
    async with logged_in(server, token) as socket:
        await socket.say("complete", "unknown")
        await socket.say("ping")

        assert await socket.hear() == {"type": "pong"}


async def test_one_operation_too_many_is_refused_and_the_others_go_on(server: Server, token: str) -> None:
    async with logged_in(server, token) as socket:
        for number in range(20):
            await socket.subscribe(str(number), "subscription { silence }")
        await socket.subscribe("20", "{ email }")
        (refused,) = await socket.hear_all("20")
        await socket.say("complete", "0")
        await socket.subscribe("21", "{ email }")
        answered = await socket.hear_all("21")

    assert refused["payload"][0]["extensions"] == {"code": "TOO_MANY_OPERATIONS"}
    assert answered[0]["payload"] == {"data": {"email": "alice@example.org"}}


async def test_far_too_many_operations_at_once_are_refused_each(server: Server, token: str) -> None:
    async with logged_in(server, token) as socket:
        for number in range(120):
            await socket.subscribe(str(number), "subscription { silence }")
        refused = [await socket.hear() for _ in range(100)]
        await socket.say("ping")

        assert await socket.hear() == {"type": "pong"}
    assert [each["id"] for each in refused] == [str(number) for number in range(20, 120)]


# --- errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{ emial }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { count }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($text: String!) { echo(text: $text) }", "BAD_USER_INPUT"),
        ("query A { email } query B { email }", "OPERATION_RESOLUTION_FAILURE"),
        ("{ " + "row { rows { " * 9 + "number" + " } }" * 9 + " }", "LIMIT_EXCEEDED"),
        ("subscription { refusesAtOnce }", "NOT_FOUND"),
    ],
)
async def test_a_refused_operation_gets_errors_and_nothing_else(
    server: Server, token: str, query: str, code: str
) -> None:
    async with logged_in(server, token) as socket:
        await socket.subscribe("1", query)
        (heard,) = await socket.hear_all("1")
        await socket.subscribe("1", "{ email }")
        await socket.hear_all("1")

    assert heard["type"] == "error"
    assert [error["extensions"]["code"] for error in heard["payload"]] == [code]
    assert "Did you mean" not in json.dumps(heard)


async def test_an_error_of_a_resolver_comes_with_the_data(server: Server, token: str) -> None:
    async with logged_in(server, token) as socket:
        await socket.subscribe("1", "{ email refused }")
        heard, last = await socket.hear_all("1")

    assert last == {"type": "complete", "id": "1"}
    assert heard["payload"] == {
        "data": {"email": "alice@example.org", "refused": None},
        "errors": [
            {
                "message": "There is no such report.",
                "locations": [{"line": 1, "column": 9}],
                "path": ["refused"],
                "extensions": {"code": "NOT_FOUND"},
            }
        ],
    }


@pytest.mark.parametrize("field", ["failsAtOnce", "failsMidway"])
async def test_what_fails_unforeseen_is_masked_and_the_log_has_it_by_its_id(
    server: Server, token: str, field: str
) -> None:
    async with logged_in(server, token) as socket:
        await socket.subscribe("1", f"subscription {{ {field} }}")
        heard = await socket.hear_all("1")
        await socket.say("ping")
        assert await socket.hear() == {"type": "pong"}

    assert heard[-1]["type"] == "error"
    (error,) = heard[-1]["payload"]
    assert error["message"] == SORRY
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "hunter2" not in json.dumps(heard)
    assert error["extensions"]["requestId"] in server.log.read_text()
    assert "hunter2" not in server.log.read_text()


async def test_a_stream_that_is_refused_in_its_midst_ends_with_the_reason(server: Server, token: str) -> None:
    async with logged_in(server, token) as socket:
        await socket.subscribe("1", "subscription { refusesMidway }")
        first, last = await socket.hear_all("1")

    assert first["payload"] == {"data": {"refusesMidway": 1}}
    assert last["type"] == "error"
    assert last["payload"][0]["message"] == "The submission was deleted."
    assert last["payload"][0]["extensions"] == {"code": "NOT_FOUND"}


async def test_an_event_whose_resolver_fails_does_not_end_the_stream(server: Server, token: str) -> None:
    async with logged_in(server, token) as socket:
        await socket.subscribe("1", "subscription { breaksMidway }")
        first, second, third, last = await socket.hear_all("1")

    assert first["payload"] == {"data": {"breaksMidway": 1}}
    assert second["payload"]["data"] == {"breaksMidway": None}
    assert second["payload"]["errors"][0]["message"] == SORRY
    assert third["payload"] == {"data": {"breaksMidway": 3}}
    assert last == {"type": "complete", "id": "1"}
