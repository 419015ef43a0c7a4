"""A person has a few sockets, and an address a few of which nobody knows whose they are: on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from websockets.exceptions import InvalidStatus

from api.tests.servers import Installation, Server
from api.tests.sockets import logged_in, opened
from sockets.seats import TOO_MANY

pytestmark = pytest.mark.thorough

SILENCE = "subscription { silence }"


@pytest.fixture(scope="module")
def narrow(installation: Installation) -> Iterator[Server]:
    limits = {"SOCKETS_PER_ADDRESS": "3", "SOCKETS_PER_PERSON": "2", "GRAPHQL_MAX_OPERATIONS_PER_PERSON": "3"}
    server = Server("uvicorn", installation, GRAPHQL_INIT_SECONDS="60", **limits)
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
