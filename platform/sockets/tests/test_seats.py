"""Sockets are counted by address until it is known whose they are, and then by person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from sockets import seats
from sockets.seats import Seat, Seated


@pytest.fixture(autouse=True)
def _few(settings: Settings) -> Iterator[None]:
    settings.SOCKETS_PER_ADDRESS, settings.SOCKETS_PER_PERSON = 2, 3
    settings.FRUITLESS_SOCKETS_PER_ADDRESS = 2
    yield
    assert not seats._strangers
    assert not seats._people
    seats._forgotten_at.clear()


def seated(address: str) -> Seat:
    seat = Seat(address)
    assert seat.sit_down()
    return seat


def test_an_address_has_so_many_of_which_nobody_knows_whose_they_are() -> None:
    first, second = seated("192.0.2.1"), seated("192.0.2.1")
    other = seated("192.0.2.2")
    assert not Seat("192.0.2.1").sit_down()

    first.leave()
    third = seated("192.0.2.1")

    for seat in (second, third, other):
        seat.leave()


def test_those_of_whom_it_is_known_do_not_count_for_the_address() -> None:
    crowd = []
    for person in range(10):
        seat = seated("192.0.2.1")
        assert seat.belongs_to(person)
        crowd.append(seat)

    for seat in crowd:
        seat.leave()


def test_a_person_has_so_many_from_wherever_they_come() -> None:
    mine = [seated(f"192.0.2.{number}") for number in range(3)]
    assert all(seat.belongs_to("alice") for seat in mine)
    late = seated("192.0.2.9")
    assert not late.belongs_to("alice")
    late.leave()

    mine.pop().leave()
    mine.append(seated("192.0.2.9"))
    assert mine[-1].belongs_to("alice")

    for seat in mine:
        seat.leave()


def test_leaving_twice_gives_nothing_back_twice() -> None:
    first, second = seated("192.0.2.1"), seated("192.0.2.1")
    first.leave()
    first.leave()

    assert seats._strangers["192.0.2.1"] == 1
    second.leave()


def test_nobody_may_come_while_all_of_an_origins_places_are_taken() -> None:
    first, second = seated("192.0.2.1"), seated("192.0.2.1")
    assert not seats.may_come("192.0.2.1")
    assert seats.may_come("192.0.2.2")

    assert first.belongs_to("alice")

    assert seats.may_come("192.0.2.1")
    for seat in (first, second):
        seat.leave()


def test_after_many_that_never_said_whose_they_were_the_next_have_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr(seats, "monotonic", lambda: now)
    for _ in range(2):
        assert seats.may_come("192.0.2.1")
        seated("192.0.2.1").leave()
    assert not seats.may_come("192.0.2.1")
    assert seats.may_come("192.0.2.2")

    now += seats.FORGET_SECONDS / 2 + 1
    assert seats.may_come("192.0.2.1")
    seated("192.0.2.1").leave()
    assert not seats.may_come("192.0.2.1")


def test_those_of_whom_it_was_known_do_not_make_the_next_wait() -> None:
    for person in range(20):
        seat = seated("192.0.2.1")
        assert seat.belongs_to(person)
        seat.leave()

    assert seats.may_come("192.0.2.1")


def test_a_socket_that_is_one_too_many_of_its_person_was_fruitless() -> None:
    mine = [seated("192.0.2.1") for _ in range(2)]
    assert all(seat.belongs_to("alice") for seat in mine)
    mine.append(seated("192.0.2.1"))
    assert mine[-1].belongs_to("alice")
    for _ in range(2):
        late = seated("192.0.2.1")
        assert not late.belongs_to("alice")
        late.leave()

    assert not seats.may_come("192.0.2.1")
    for seat in mine:
        seat.leave()


def test_addresses_without_end_are_not_remembered_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats, "FEW", 10)
    for number in range(100):
        seated(f"192.0.2.{number}").leave()

    assert len(seats._forgotten_at) <= 10


@pytest.mark.parametrize("extensions", [{"websocket.http.response": {}}, None])
async def test_a_handshake_too_many_is_told_that_and_when_to_come_back(extensions: Any) -> None:
    waiting = [seated("192.0.2.1"), seated("192.0.2.1")]
    said: list[dict[str, Any]] = []

    async def nobody(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("it was let in")

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    scope = {"type": "websocket", "client": ("192.0.2.1", 1), "headers": [], "extensions": extensions}
    await Seated(nobody)(scope, receive, send)

    if extensions:
        assert (said[0]["status"], said[0]["headers"][0]) == (429, (b"retry-after", b"10"))
        assert [message["type"] for message in said] == [
            "websocket.http.response.start",
            "websocket.http.response.body",
        ]
    else:
        assert said == [{"type": "websocket.close"}]
    for seat in waiting:
        seat.leave()
