"""Queries and refusals: the product's view beside the one that graphene-django brings along, in turns."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.bench.api_operations import LIST, SMALL, WHOLE, most_steps, too_large
from tests.bench.figures import RUNS, emit, milliseconds
from tests.bench.load import Account, Connection, as_fast_as_possible
from tests.bench.usage import Watch

MOST_MS = 500.0
CONNECTIONS = 8
"""Clients of the closed loop, each of which asks again as soon as it was answered."""


@dataclass(frozen=True, eq=False)
class View:
    """One of the two views, in a web process of its own."""

    account: Account
    port: int
    process: int
    path: str

    def request(self, query: str, variables: Mapping[str, Any] | None = None) -> bytes:
        """One operation as bytes."""
        body = json.dumps({"query": query, "variables": variables or {}})
        head = self.account.head(
            "POST", self.path, "Content-Type: application/json", f"Content-Length: {len(body.encode())}"
        )
        return f"{head}\r\n\r\n{body}".encode()

    def clients(self, statuses: Sequence[int] = (200,)) -> list[Connection]:
        """Connections to it."""
        return [Connection(self.port, statuses) for _ in range(CONNECTIONS)]


@dataclass(frozen=True)
class Asked:
    """What one round of one query showed."""

    waits: list[float]
    """Seconds of each query, one at a time."""
    rate: float
    """Queries a second, by all clients at once."""
    milliseconds_of_cpu: dict[str, float]
    """Of each of them, by process."""
    generator_share: float


async def bench_queries(ours: View, stock: View, postgres: int, report: str, rounds: int, seconds: float) -> None:
    """How long a query takes, how many a second are answered, and what each costs."""
    for name, query, variables in (
        ("small", SMALL, {}),
        ("list of 20", LIST, {}),
        ("one whole", WHOLE, {"id": report}),
    ):
        requests = {view: view.request(query, variables) for view in (ours, stock)}
        size = await _warm_up(requests)
        found: dict[View, list[Asked]] = {ours: [], stock: []}
        for _ in range(RUNS):
            for view, request in requests.items():
                found[view].append(await _ask(view, request, postgres, rounds, seconds))
        _emit(name, found[ours], found[stock], rounds=rounds, seconds=seconds, bytes=size)


async def _warm_up(requests: Mapping[View, bytes]) -> int:
    """Let both load what they need, and make sure that they answer the same; gives the bytes of it."""
    answers = []
    for view, request in requests.items():
        clients = view.clients()
        for _ in range(5):
            answer = (await asyncio.gather(*(client.request(request) for client in clients)))[0]
        for client in clients:
            client.close()
        answers.append(answer)
    ours, stock = map(json.loads, answers)
    # graphene-django writes "data" only, too, where nothing failed.
    assert ours == stock, f"the views answer differently: {ours} and {stock}"
    assert "errors" not in ours, ours
    return len(answers[0])


async def _ask(view: View, request: bytes, postgres: int, rounds: int, seconds: float) -> Asked:
    clients = view.clients()
    waits = []
    for _ in range(rounds):
        started = time.perf_counter()
        await clients[0].request(request)
        waits.append(time.perf_counter() - started)
    watch = Watch({"web": [view.process], "postgresql": [postgres]})
    rate = await as_fast_as_possible([partial(_once, client, request) for client in clients], seconds)
    asked = Asked(waits, rate, watch.milliseconds_per(round(rate * seconds)), watch.generator_share())
    for client in clients:
        client.close()
    return asked


async def _once(client: Connection, request: bytes) -> float:
    await client.request(request)
    return time.perf_counter()


def _emit(query: str, ours: Sequence[Asked], stock: Sequence[Asked], **more: object) -> None:
    value, floor = (milliseconds([each.waits for each in runs]) for runs in (ours, stock))
    ratio = round(value["p50"] / floor["p50"], 2)
    emit("query_ms", value, floor, query=query, ratio_p50=ratio, runs=RUNS, **more)
    rates = [statistics.median(each.rate for each in runs) for runs in (ours, stock)]
    spent = [_median(runs) for runs in (ours, stock)]
    emit(
        "queries_per_second",
        round(rates[0], 1),
        round(rates[1], 1),
        query=query,
        ratio=round(rates[0] / rates[1], 2),
        connections=CONNECTIONS,
        cpu_ms_per_query=spent[0],
        floor_cpu_ms_per_query=spent[1],
        generator_share=statistics.median(each.generator_share for each in ours),
        runs=RUNS,
        **more,
    )


def _median(runs: Sequence[Asked]) -> dict[str, float]:
    names = runs[0].milliseconds_of_cpu
    return {name: round(statistics.median(each.milliseconds_of_cpu[name] for each in runs), 2) for name in names}


async def bench_refusals(ours: View, stock: View, runs: int) -> None:
    """How long an operation that is too large keeps a server busy."""
    for what, query in too_large().items():
        waits, least = [], []
        for _ in range(runs):
            waits.append(await _refusal(ours, query, code=b'"LIMIT_EXCEEDED"'))
            least.append(await _refusal(stock, query, code=b""))
        value, floor = (round(statistics.median(each) * 1000, 2) for each in (waits, least))
        emit(
            "refusal_ms", value, floor, operation=what, characters=len(query), ratio=round(value / floor, 4), runs=runs
        )


async def bench_steps(ours: View, stock: View, runs: int) -> None:
    """How long an operation takes that spends nearly all the steps that it may: 500 ms is the most that is wanted."""
    for what, (query, variables) in most_steps().items():
        requests = {view: view.request(query, variables) for view in (ours, stock)}
        waits: dict[View, list[float]] = {ours: [], stock: []}
        for _ in range(runs + 1):
            for view, request in requests.items():
                client = Connection(view.port)
                started = time.perf_counter()
                answer = await client.request(request)
                waits[view].append(time.perf_counter() - started)
                client.close()
                assert b'"errors"' not in answer, answer[:300]
        # The first one loads what the others find.
        value, floor = (round(statistics.median(waits[view][1:]) * 1000, 1) for view in (ours, stock))
        emit("steps_ms", value, floor, operation=what, ratio=round(value / floor, 2), runs=runs, met=value <= MOST_MS)


async def _refusal(view: View, query: str, code: bytes) -> float:
    # The stock view has no limits, so it answers, or fails.
    client = Connection(view.port, (200, 400, 500))
    started = time.perf_counter()
    answer = await client.request(view.request(query))
    took = time.perf_counter() - started
    client.close()
    assert code in answer, answer[:300]
    return took
