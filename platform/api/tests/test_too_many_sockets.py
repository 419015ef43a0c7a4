"""A person has a few sockets, and an address a few of which nobody knows whose they are: on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from websockets.exceptions import InvalidStatus

from api.tests.servers import Installation, Server
from api.tests.sockets import logged_in, opened
from sockets.seats import TOO_MANY

SILENCE = "subscription { silence }"


@pytest.fixture(scope="module")
def narrow(installation: Installation) -> Iterator[Server]:
    limits = {"SOCKETS_PER_ADDRESS": "3", "SOCKETS_PER_PERSON": "2", "GRAPHQL_MAX_OPERATIONS_PER_PERSON": "3"}
    waits = {"GRAPHQL_INIT_SECONDS": "60", "HANDSHAKE_PAUSE_SECONDS": "1"}
    server = Server("uvicorn", installation, **waits, **limits)
    yield server
    server.stop()


async def test_an_address_with_many_silent_sockets_gets_no_more_until_one_is_gone(narrow: Server) -> None:
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(opened(narrow)) for _ in range(3)]
        with pytest.raises(InvalidStatus) as refused:
            await stack.enter_async_context(opened(narrow))
        answer = refused.value.response
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "10")

        # A socket that says whose it is makes room for the next.
        await sockets[0].log_in(narrow.token("alice"))
        await stack.enter_async_context(opened(narrow))


async def test_a_handshake_waits_and_gets_in_where_a_place_has_become_free(narrow: Server) -> None:
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(opened(narrow)) for _ in range(3)]
        late = asyncio.create_task(stack.enter_async_context(opened(narrow)))
        await asyncio.sleep(0)

        await sockets[0].log_in(narrow.token("alice"))
        await (await late).say("ping")


async def test_somebody_who_is_known_does_not_wait_for_strangers_of_the_same_address(narrow: Server) -> None:
    token = narrow.token("bob")
    headers = {"Authorization": f"Bearer {token}"}
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(opened(narrow))
        with pytest.raises(InvalidStatus):
            await stack.enter_async_context(opened(narrow, headers=headers))
        assert narrow.graphql("{ email }", token).status == 200

        socket = await stack.enter_async_context(opened(narrow, headers=headers))
        await socket.say("connection_init")
        assert (await socket.hear())["type"] == "connection_ack"


async def test_a_third_socket_of_a_person_is_closed_and_colleagues_have_their_own(narrow: Server) -> None:
    alice, bob = narrow.token("alice"), narrow.token("bob")
    async with logged_in(narrow, alice), logged_in(narrow, alice), logged_in(narrow, bob), opened(narrow) as socket:
        await socket.say("connection_init", payload={"Authorization": f"Bearer {alice}"})
        assert await socket.closed_because() == (
            TOO_MANY,
            "You have too many connections: close one, or come back later.",
        )


async def test_operations_of_a_person_count_on_all_their_sockets(narrow: Server) -> None:
    token = narrow.token("alice")
    async with logged_in(narrow, token) as first, logged_in(narrow, token) as second:
        for identifier in ("a", "b"):
            await first.subscribe(identifier, SILENCE)
        await first.say("ping")
        assert (await first.hear())["type"] == "pong"
        await second.subscribe("c", SILENCE)
        await second.subscribe("d", SILENCE)

        (refused,) = await second.hear_all("d")

    assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"


async def test_an_operation_beyond_what_its_person_may_spend_gets_an_error_and_the_socket_stays(
    installation: Installation,
) -> None:
    server = Server("uvicorn", installation, LIMIT_API_COST_PERSON="10/h")
    try:
        async with logged_in(server, server.token("alice")) as socket:
            await socket.subscribe("a", "{ row { number rows { number } } }")
            assert (await socket.hear_all("a"))[0]["type"] == "next"
            await socket.subscribe("b", "{ email }")

            (refused,) = await socket.hear_all("b")
    finally:
        server.stop()

    extensions = refused["payload"][0]["extensions"]
    assert (refused["type"], extensions["code"]) == ("error", "THROTTLED")
    assert 0 < extensions["retryAfter"] <= 360


async def test_after_many_sockets_that_came_to_nothing_the_next_is_refused(installation: Installation) -> None:
    server = Server("uvicorn", installation, FRUITLESS_SOCKETS_PER_ADDRESS="3", HANDSHAKE_PAUSE_SECONDS="0.1")
    try:
        for _ in range(3):
            async with opened(server):
                pass
        with pytest.raises(InvalidStatus) as refused:
            async with opened(server):
                pass
    finally:
        server.stop()

    answer = refused.value.response
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "10")
