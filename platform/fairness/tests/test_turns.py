"""Whose turn it is, by a clock that only the test moves."""

from __future__ import annotations

import pytest

from fairness.turns import (
    AT_WORK_SECONDS,
    HERE_SECONDS,
    LOOK_AGAIN_SECONDS,
    MOST_ACCOUNTS,
    SHARE,
    Account,
    Client,
    Turns,
)

AT_ONCE = 2
ALICE, BOB, MALLORY = Client(("alice",)), Client(("bob",)), Client(("mallory",))


class Clock:
    """Says what it was set to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def turns(clock: Clock) -> Turns:
    return Turns(clock=clock)


def used(turns: Turns, client: Client, seconds: float) -> list[Account]:
    """The client has just ended work that took so long."""
    accounts = turns.accounts_of(client)
    turns.begin(accounts)
    turns.end(accounts, seconds)
    return accounts


def at_work(turns: Turns, client: Client, works: int) -> list[Account]:
    """So many works of the client are running."""
    accounts = turns.accounts_of(client)
    for _ in range(works):
        turns.begin(accounts)
    return accounts


def wait_of(turns: Turns, client: Client) -> float:
    """The seconds until the client's next work may begin."""
    return turns.seconds_until(turns.accounts_of(client), AT_ONCE)


def test_a_client_that_is_alone_has_all_threads(turns: Turns) -> None:
    at_work(turns, MALLORY, 7)
    used(turns, MALLORY, 60.0)

    assert wait_of(turns, MALLORY) == 0


def test_while_somebody_else_is_here_a_client_has_a_quarter_of_the_threads(turns: Turns, clock: Clock) -> None:
    used(turns, BOB, 0.01)
    at_work(turns, MALLORY, AT_ONCE - 1)
    assert wait_of(turns, MALLORY) == 0
    at_work(turns, MALLORY, 1)

    assert wait_of(turns, MALLORY) == LOOK_AGAIN_SECONDS
    assert wait_of(turns, BOB) == 0
    clock.now += HERE_SECONDS + 1
    assert wait_of(turns, MALLORY) == 0


def test_heavy_clients_have_one_thread_together(turns: Turns) -> None:
    used(turns, ALICE, 0.1)
    used(turns, BOB, 3.0)
    used(turns, MALLORY, 5.0)
    at_work(turns, BOB, 1)

    assert wait_of(turns, MALLORY) == wait_of(turns, BOB) == LOOK_AGAIN_SECONDS
    assert wait_of(turns, ALICE) == 0


def test_a_heavy_client_rests_while_somebody_lighter_is_at_work(turns: Turns, clock: Clock) -> None:
    used(turns, MALLORY, 1.0)
    used(turns, MALLORY, 0.5)
    used(turns, ALICE, 0.1)
    rest = 0.5 / SHARE - 0.5
    assert wait_of(turns, MALLORY) == pytest.approx(rest)

    clock.now += AT_WORK_SECONDS + 0.1
    assert rest > AT_WORK_SECONDS + 0.1
    assert wait_of(turns, MALLORY) == 0


def test_clients_that_use_much_alike_do_not_wait_for_one_another(turns: Turns) -> None:
    for client, seconds in ((ALICE, 3.0), (BOB, 4.0), (MALLORY, 5.0)):
        used(turns, client, seconds)
        at_work(turns, client, 1)

    assert [wait_of(turns, client) for client in (ALICE, BOB, MALLORY)] == [0, 0, 0]


def test_what_was_used_is_forgotten(turns: Turns, clock: Clock) -> None:
    mallory = used(turns, MALLORY, 5.0)
    clock.now += 10.0
    assert turns.used(mallory) == pytest.approx(5.0 / 2.718, rel=0.01)

    used(turns, ALICE, 0.1)
    assert wait_of(turns, MALLORY) == 0  # it has rested, and nobody heavy is running
    at_work(turns, BOB, 1)
    clock.now += 20.0
    assert turns.used(mallory) < turns.heavy_seconds


def test_each_of_a_clients_names_has_to_have_its_turn(turns: Turns) -> None:
    used(turns, ALICE, 0.1)
    used(turns, Client(("an address", "one session")), 5.0)
    at_work(turns, Client(("an address",)), 1)

    assert wait_of(turns, Client(("an address", "another session"))) == LOOK_AGAIN_SECONDS
    assert wait_of(turns, Client(("another address", "one session"))) == LOOK_AGAIN_SECONDS
    assert wait_of(turns, Client(("another address", "another session"))) == 0


def test_strangers_have_one_thread_together_while_somebody_known_is_at_work(turns: Turns, clock: Clock) -> None:
    near, far = Client(("near",), is_stranger=True), Client(("far",), is_stranger=True)
    at_work(turns, near, 1)
    assert wait_of(turns, far) == 0

    used(turns, ALICE, 0.01)
    assert wait_of(turns, far) == LOOK_AGAIN_SECONDS
    assert wait_of(turns, ALICE) == 0

    clock.now += AT_WORK_SECONDS + 0.1
    assert wait_of(turns, far) == 0


def test_strangers_do_not_rest_for_they_may_be_many(turns: Turns) -> None:
    room = Client(("a room",), is_stranger=True)
    used(turns, ALICE, 0.1)
    used(turns, room, 5.0)

    assert wait_of(turns, room) == 0


def test_the_product_itself_never_waits(turns: Turns) -> None:
    used(turns, ALICE, 0.1)
    used(turns, Client(), 60.0)

    assert wait_of(turns, Client()) == 0


def test_nobody_makes_room_for_a_probe(turns: Turns) -> None:
    at_work(turns, MALLORY, AT_ONCE)
    used(turns, MALLORY, 5.0)
    at_work(turns, Client(("a probe",), is_probe=True), 1)

    assert wait_of(turns, MALLORY) == 0


def test_not_more_accounts_are_kept_than_may_be(turns: Turns) -> None:
    for number in range(MOST_ACCOUNTS + 5):
        turns.accounts_of(Client((number,)))

    assert len(turns._accounts) == MOST_ACCOUNTS
