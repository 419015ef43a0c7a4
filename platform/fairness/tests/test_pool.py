"""Threads that clients share."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from fairness.pool import Full, Pool, Room
from fairness.turns import Client, Turns

ALICE, BOB, MALLORY = Client(("alice",)), Client(("bob",)), Client(("mallory",))
PATIENCE = 20.0


class Work:
    """A function that says when it has begun, and ends when it is told to."""

    def __init__(self, begun: list[str], name: str) -> None:
        self._begun, self.name = begun, name
        self.began, self.may_end = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self._begun.append(self.name)
        self.began.set()
        self.may_end.wait(PATIENCE)
        return self.name


@pytest.fixture
def turns() -> Turns:
    return Turns()


@pytest.fixture
def pool(turns: Turns) -> Iterator[Pool]:
    made = Pool(turns, 2, "test", Room(4, 3, PATIENCE))
    yield made
    made.shutdown()


class Works:
    """Works that share a list of those that have begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self._made: list[Work] = []

    def __call__(self, name: str) -> Work:
        self._made.append(Work(self.begun, name))
        return self._made[-1]

    def end_all(self) -> None:
        for each in self._made:
            each.may_end.set()


@pytest.fixture
def work() -> Iterator[Works]:
    works = Works()
    yield works
    works.end_all()


async def start(pool: Pool, client: Client, function: Callable[[], str]) -> asyncio.Task[str]:
    """Ask for the function to be called, and let the pool see it."""
    task = asyncio.create_task(pool.run(client, function))
    await asyncio.sleep(0)
    return task


async def began(work: Work) -> None:
    assert await asyncio.to_thread(work.began.wait, PATIENCE)


async def test_it_gives_what_the_function_gives_or_raises(pool: Pool) -> None:
    assert await pool.run(ALICE, int, "12", base=8) == 10
    with pytest.raises(ValueError, match="invalid literal"):
        await pool.run(ALICE, int, "x")
    assert await pool.run(ALICE, threading.get_ident) != threading.get_ident()


async def test_with_both_threads_taken_by_one_client_another_ones_work_comes_before_its_third(
    pool: Pool, work: Works
) -> None:
    first, second, third, other = work("first"), work("second"), work("third"), work("other")
    tasks = [await start(pool, MALLORY, each) for each in (first, second, third)]
    tasks.append(await start(pool, ALICE, other))
    await began(second)

    first.may_end.set()
    await began(other)
    assert not third.began.is_set()

    other.may_end.set()
    second.may_end.set()
    await began(third)
    third.may_end.set()
    assert await asyncio.gather(*tasks) == ["first", "second", "third", "other"]


async def test_what_waits_of_two_light_clients_is_served_in_turns(turns: Turns, work: Works) -> None:
    pool = Pool(turns, 1, "test", Room(9, 9, PATIENCE))
    works = [work(f"{name}{number}") for name in "ab" for number in range(3)]
    await start(pool, Client(), work("blocker"))
    tasks = [await start(pool, Client((each.name[0],)), each) for each in works]

    work.end_all()
    await asyncio.gather(*tasks)

    assert work.begun == ["blocker", "a0", "b0", "a1", "b1", "a2", "b2"]
    pool.shutdown()


async def test_of_heavy_clients_the_lightest_goes_first(turns: Turns, work: Works) -> None:
    pool = Pool(turns, 1, "test", Room(9, 9, PATIENCE))
    for client, seconds in ((MALLORY, 9.0), (BOB, 8.0), (ALICE, 0.1)):
        accounts = turns.accounts_of(client)
        turns.begin(accounts)
        turns.end(accounts, seconds)
    for each in (*turns.accounts_of(MALLORY), *turns.accounts_of(BOB)):
        each.rests_until = 0.0
    await start(pool, Client(), work("blocker"))
    tasks = [await start(pool, client, work(str(client.names[0]))) for client in (MALLORY, BOB, ALICE)]

    work.end_all()
    await asyncio.gather(*tasks)

    assert work.begun == ["blocker", "alice", "bob", "mallory"]
    pool.shutdown()


async def test_work_that_waits_for_another_pool_begins_once_that_one_is_free(
    turns: Turns, pool: Pool, work: Works
) -> None:
    elsewhere = Pool(turns, 2, "other", Room(4, 3, PATIENCE))
    turns.accounts_of(ALICE)
    first, second = work("first"), work("second")
    running = await start(elsewhere, MALLORY, first)
    await began(first)
    waiting = await start(pool, MALLORY, second)
    await pool.run(ALICE, int)
    assert not second.began.is_set()

    first.may_end.set()
    second.may_end.set()

    assert await asyncio.gather(running, waiting) == ["first", "second"]
    elsewhere.shutdown()


async def test_a_queue_that_is_full_refuses_at_once_and_does_nothing(pool: Pool, work: Works) -> None:
    tasks = [await start(pool, Client(), work("at work")) for _ in range(2)]
    tasks += [await start(pool, MALLORY, work("waits")) for _ in range(3)]
    with pytest.raises(Full) as of_one:
        await pool.run(MALLORY, work("one too many"))
    tasks.append(await start(pool, ALICE, work("the last one")))
    with pytest.raises(Full) as of_all:
        await pool.run(BOB, work("one too many"))
    tasks.append(await start(pool, Client(), work("the product's own")))

    assert (of_one.value.of_client, of_all.value.of_client) == (True, False)
    work.end_all()
    await asyncio.gather(*tasks)
    assert "one too many" not in work.begun
    assert len(work.begun) == 7


async def test_what_has_waited_for_too_long_is_refused_and_not_done(turns: Turns, work: Works) -> None:
    pool = Pool(turns, 1, "test", Room(9, 9, 0.01))
    running = await start(pool, ALICE, work("at work"))

    with pytest.raises(Full):
        await pool.run(MALLORY, work("waits"))

    work.end_all()
    await running
    assert await pool.run(MALLORY, str) == ""
    assert work.begun == ["at work"]
    pool.shutdown()


async def test_work_for_which_nobody_waits_any_more_is_not_begun(turns: Turns, work: Works) -> None:
    pool = Pool(turns, 1, "test", Room(9, 9, PATIENCE))
    running, left = await start(pool, ALICE, work("at work")), await start(pool, MALLORY, work("left"))
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)

    work.end_all()
    await running
    assert await pool.run(MALLORY, str) == ""
    assert work.begun == ["at work"]
    pool.shutdown()


async def test_a_heavy_client_that_rests_goes_on_by_itself() -> None:
    now = 1_000.0
    turns = Turns(clock=lambda: now)
    pool = Pool(turns, 2, "test", Room(9, 9, PATIENCE))
    for client, seconds in ((ALICE, 0.1), (MALLORY, 3.0)):
        accounts = turns.accounts_of(client)
        turns.begin(accounts)
        turns.end(accounts, seconds)

    waiting = await start(pool, MALLORY, str)
    assert await pool.run(ALICE, str) == ""
    assert not waiting.done()

    now += 20.0
    assert await asyncio.wait_for(waiting, PATIENCE) == ""
    pool.shutdown()
