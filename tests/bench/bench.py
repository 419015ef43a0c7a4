"""What all figures of the production part need: services, people, the outbox, the load."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from tests.bench.load import Account, Connection, Flow, Hints, Person, Socket, one_after_another
from tests.bench.production_floor import floor_flows, floor_worker
from tests.bench.stack import Running, Stack
from tests.bench.volume import Outbox

PEOPLE = 16
MODERATE = 50.0
"""Flows a second of the moderate load: a third of what two cores are to carry."""
WARM_UP = 15
"""Flows of each person before anything is measured: by then events and reports have their full size."""


@dataclass(frozen=True)
class Amount:
    """How much is measured."""

    rounds: int
    seconds: float
    deliveries: int
    saves: int
    sockets: int
    stored: tuple[int, ...]


FULL = Amount(400, 5.0, 5_000, 300, 1_000, (1_000, 100_000, 1_000_000))
QUICK = Amount(30, 1.0, 1_000, 30, 100, (1_000, 20_000))


@dataclass
class Bench:
    """Everything that the figures need."""

    stack: Stack
    outbox: Outbox
    people: list[Account]
    listener: Account
    amount: Amount
    runner: asyncio.Runner

    @asynccontextmanager
    async def flows(self, running: Running) -> AsyncIterator[list[Flow]]:
        """Every person's flow, over connections and a socket of their own."""
        hints = Hints()
        for account, port in zip([*self.people, self.listener], cycle(running.ports), strict=False):
            account.port = port
        live = await Socket.open(self.listener, hints.receive)
        people = [Person(account, Connection(account.port), hints) for account in self.people]
        try:
            yield [person.flow for person in people]
        finally:
            live.close()
            for person in people:
                person.connection.close()

    @property
    def floor_url(self) -> str:
        """Redis for the floor: the same server, a database of its own."""
        return self.stack.redis.url.removesuffix("/0") + "/1"

    @contextmanager
    def floor(self, processes: int) -> Iterator[None]:
        """The floor's worker is there."""
        with floor_worker(self.floor_url, self.stack.installation.folder, processes):
            yield

    def floor_flows(self) -> Any:
        """The floors of as many people's flows."""
        return floor_flows(self.stack.installation.database_url, self.floor_url, len(self.people))


async def warm_up(bench: Bench, running: Running) -> None:
    """Have every process load what it needs, and every answer be there."""
    await warm_up_product(bench, running)
    await warm_up_floor(bench)


async def warm_up_product(bench: Bench, running: Running) -> None:
    """Only what is the product's."""
    async with bench.flows(running) as flows:
        await one_after_another(flows, WARM_UP * len(flows))


async def warm_up_floor(bench: Bench) -> None:
    """Only what is the floor's."""
    async with bench.floor_flows() as least:
        await one_after_another(least, 30)
