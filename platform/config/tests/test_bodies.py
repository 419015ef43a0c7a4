"""Bodies are read as far as their view takes them, in a time, and as far as there is room."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from http import HTTPStatus
from itertools import repeat
from typing import Any

import pytest
from django.core.exceptions import RequestAborted, RequestDataTooBig
from pytest_django import Settings

from config import bodies
from config.bodies import Refused, Room, Share, TooLarge
from config.http import PooledHandler

KIB = 1024
SECTION = "/submissions/6f2c1f0e-0000-4000-8000-000000000000/sections/controls/"
MORE = {"type": "http.request", "body": b"x" * 32 * KIB, "more_body": True}


def scope_of(path: str, client: str = "192.0.2.1", **headers: str) -> dict[str, Any]:
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "client": (client, 50_000),
        "headers": [(b"host", b"localhost"), *sent],
    }


class Peer:
    """Sends these messages, and counts how many were taken."""

    def __init__(self, messages: Iterator[dict[str, Any]]) -> None:
        self.messages = messages
        self.taken = 0

    async def __call__(self) -> dict[str, Any]:
        self.taken += 1
        return next(self.messages)


@pytest.fixture
def share() -> Iterator[Share]:
    with Room().share(scope_of("/")) as mine:
        yield mine


@pytest.mark.parametrize(
    ("path", "limit"),
    [("/graphql", 64 * KIB), ("/accounts/login/", 512 * KIB), (SECTION, 2560 * KIB), ("/nowhere/", 512 * KIB)],
)
async def test_a_body_is_read_to_the_limit_of_its_view_and_refused_as_soon_as_it_passes_it(
    path: str, limit: int, share: Share
) -> None:
    whole = [MORE] * (limit // (32 * KIB)) + [{"type": "http.request", "body": b"", "more_body": False}]
    body = await bodies.read(scope_of(path), Peer(iter(whole)), share)
    assert len(body.read()) == limit

    endless = Peer(repeat(MORE))
    assert isinstance(await bodies.read(scope_of(path), endless, share), TooLarge)
    assert endless.taken == limit // (32 * KIB) + 1


async def test_nothing_is_read_of_a_body_that_says_that_it_is_too_large(share: Share) -> None:
    peer = Peer(repeat(MORE))

    body = await bodies.read(scope_of("/graphql", content_length="65537"), peer, share)

    assert peer.taken == 0
    with pytest.raises(RequestDataTooBig):
        body.read()


async def test_a_client_that_leaves_in_the_midst_of_a_body_is_not_answered(share: Share) -> None:
    with pytest.raises(RequestAborted):
        await bodies.read(scope_of("/"), Peer(iter([MORE, {"type": "http.disconnect"}])), share)


async def test_one_address_may_keep_a_quarter_of_the_room_and_gives_it_back(settings: Settings) -> None:
    settings.BODY_ROOM = 256 * KIB
    room = Room()
    with ExitStack() as unfinished:
        unfinished.enter_context(room.share(scope_of("/"))).take(64 * KIB)
        another = unfinished.enter_context(room.share(scope_of("/")))
        with pytest.raises(Refused) as refused:
            another.take(1)
        unfinished.enter_context(room.share(scope_of("/", "192.0.2.2"))).take(64 * KIB)

    assert (refused.value.status, refused.value.headers) == (HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "5"})
    with room.share(scope_of("/")) as later:
        later.take(64 * KIB)


async def test_all_addresses_together_have_no_more_than_the_room(settings: Settings) -> None:
    settings.BODY_ROOM = 256 * KIB
    room = Room()
    with ExitStack() as unfinished:
        for number in range(4):
            unfinished.enter_context(room.share(scope_of("/", f"192.0.2.{number}"))).take(64 * KIB)
        with pytest.raises(Refused):
            unfinished.enter_context(room.share(scope_of("/", "192.0.2.9"))).take(1)


class Answered:
    """What the handler sends, and how much of the body it had taken by then."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.taken_at_the_answer = -1
        self.taken = 0


async def answer_to_endless(path: str, **headers: str) -> Answered:
    """Send a body without an end."""
    handler, answered, peer = PooledHandler(threads=1), Answered(), Peer(repeat(MORE))

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answered.status = message["status"]
            answered.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        elif answered.taken_at_the_answer < 0:
            answered.taken_at_the_answer = peer.taken
        answered.body += message.get("body", b"")

    await handler(scope_of(path, **headers), peer, send)
    handler._pool.shutdown()
    answered.taken = peer.taken
    return answered


@pytest.mark.django_db(transaction=True)
async def test_too_large_a_body_is_answered_in_the_language_of_its_address_and_before_it_ends() -> None:
    page = await answer_to_endless("/accounts/login/", content_type="application/x-www-form-urlencoded")
    log_in = await answer_to_endless("/_allauth/app/v1/auth/login", content_type="application/json")

    for answered in (page, log_in):
        assert (answered.status, answered.headers["connection"]) == (413, "close")
        assert answered.taken_at_the_answer == 17
        # What is still on its way is taken for a while, else a browser would not read the answer.
        assert answered.taken == 17 + 128
    assert b"What was sent is larger than 512\xc2\xa0KB. Go back" in page.body
    assert json.loads(log_in.body)["errors"][0]["code"] == "too_large"
    assert page.headers["content-length"] == str(len(page.body))


@pytest.mark.django_db(transaction=True)
async def test_a_form_with_files_that_is_too_large_is_refused_the_same() -> None:
    answered = await answer_to_endless("/accounts/login/", content_type="multipart/form-data; boundary=x")

    assert answered.status == 413
