"""How long until a subscriber has a report: beside a hint and a query, and beside asking again and again."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.bench.api_asking import View
from tests.bench.api_operations import CHANGED, NEWEST, POSITION, global_id, key_of
from tests.bench.figures import RUNS, emit, milliseconds
from tests.bench.load import PATIENCE, Account, Connection, Flow, Hints, Person, Socket, one_after_another

POLL_SECONDS = 1.0
"""How often the client without subscriptions asks."""


class Changes(Hints):
    """Who waits for which report, on a GraphQL subscription."""

    def receive(self, frame: bytes) -> None:
        """Read a message of the protocol."""
        message = json.loads(frame)
        if message["type"] == "next":
            changed = message["payload"]["data"]["reportChanged"]
            self.arrived(key_of(changed["submissionId"]), changed["report"]["revision"])
        elif message["type"] == "error":
            raise RuntimeError(f"the subscription failed: {message}")


async def subscribe(account: Account, receive: Callable[[bytes], None], after: str, *, inflates: bool = True) -> Socket:
    """Open a socket with one subscription to all that changes after this position."""
    acknowledged = asyncio.Event()
    protocol = "Sec-WebSocket-Protocol: graphql-transport-ws"
    socket = await Socket.open(account, lambda _frame: acknowledged.set(), "/graphql", protocol, inflates=inflates)
    socket.say('{"type":"connection_init"}')
    async with asyncio.timeout(PATIENCE):
        await acknowledged.wait()
    socket.receive = receive
    payload = {"query": CHANGED, "variables": {"after": after}}
    socket.say(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
    return socket


async def position_of(ours: View) -> str:
    """How far the reports of who asks have come."""
    client = Connection(ours.port)
    answer = json.loads(await client.request(ours.request(POSITION)))
    client.close()
    position: str = answer["data"]["reports"]["position"]
    return position


async def bench_latency(ours: View, stock: View, rounds: int, polls: int) -> None:
    """From a save, and from its answer, to the report on a subscription.

    The floor is a hint on the product's plain socket and one query to the stock view; a client of the stock view alone
    has to ask again and again.
    """
    subscribed, hinted, polled = [], [], []
    for seed in range(RUNS):
        async with _by_subscription(ours) as flow:
            subscribed.append(await one_after_another([flow], rounds))
        async with _by_hint_and_query(ours, stock) as flow:
            hinted.append(await one_after_another([flow], rounds))
        async with _by_polling(ours, stock, random.Random(seed)) as flow:  # noqa: S311  (the same pauses in each run)
            polled.append(await one_after_another([flow], polls))
    polling = milliseconds([[each.since_answered for each in run] for run in polled])
    for name, field, more in (
        (
            "answer_to_subscriber_ms",
            "since_answered",
            {"polling": polling, "poll_seconds": POLL_SECONDS, "polls": polls},
        ),
        ("save_to_subscriber_ms", "whole", {}),
    ):
        value, floor = (
            milliseconds([[getattr(each, field) for each in run] for run in runs]) for runs in (subscribed, hinted)
        )
        emit(name, value, floor, ratio_p50=round(value["p50"] / floor["p50"], 2), runs=RUNS, rounds=rounds, **more)


@asynccontextmanager
async def _by_subscription(ours: View) -> AsyncIterator[Flow]:
    changes = Changes()
    socket = await subscribe(ours.account, changes.receive, await position_of(ours))
    async with _saving(ours, changes) as person:
        yield person.flow
    socket.close()


@asynccontextmanager
async def _by_hint_and_query(ours: View, stock: View) -> AsyncIterator[Flow]:
    hints, client = Hints(), Connection(stock.port)
    socket = await Socket.open(ours.account, hints.receive)
    request = _newest(stock)
    async with _saving(ours, hints) as person:

        async def flow() -> float:
            answered = await person.flow()
            revision = _revision(await client.request(request))
            assert revision == ours.account.revision, "the hint came before the report"
            return answered

        yield flow
    socket.close()
    client.close()


@asynccontextmanager
async def _by_polling(ours: View, stock: View, dice: random.Random) -> AsyncIterator[Flow]:
    seen, client = Hints(), Connection(stock.port)
    request = _newest(stock)

    async def poll() -> None:
        while True:
            seen.arrived(ours.account.submission, _revision(await client.request(request)))
            await asyncio.sleep(POLL_SECONDS)

    polling = asyncio.create_task(poll())
    async with _saving(ours, seen) as person:
        yield _Paused(person, dice).flow
    polling.cancel()
    client.close()


@dataclass(frozen=True)
class _Paused:
    """Somebody whose saves have nothing to do with when others look."""

    person: Person
    dice: random.Random

    async def flow(self) -> float:
        await asyncio.sleep(self.dice.uniform(0, POLL_SECONDS))
        return await self.person.flow()


@asynccontextmanager
async def _saving(ours: View, hints: Hints) -> AsyncIterator[Person]:
    person = Person(ours.account, Connection(ours.port), hints)
    try:
        yield person
    finally:
        person.connection.close()


def _newest(view: View) -> bytes:
    return view.request(NEWEST, {"id": global_id("Submission", view.account.submission)})


def _revision(answer: bytes) -> int:
    edges = json.loads(answer)["data"]["reports"]["edges"]
    return int(edges[0]["node"]["revision"]) if edges else 0
