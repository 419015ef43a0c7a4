"""What the production mode can't do without, with nothing around it: commits, two hops, one push."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from tests.bench.figures import COMMITS_AFTERWARDS, COMMITS_WHEN_ANSWERED, milliseconds_of
from tests.bench.load import PATIENCE, Flow

ROOT = Path(__file__).resolve().parent.parent.parent
BATCH = 50
FLOOR_TABLE = """
    CREATE TABLE IF NOT EXISTS floor (number int, done boolean NOT NULL DEFAULT false);
    CREATE INDEX IF NOT EXISTS floor_waiting ON floor (number) WHERE number >= 1
"""


@contextmanager
def floor_worker(redis_url: str, folder: Path, processes: int) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery worker with a real pool of processes."""
    os.environ["FLOOR_REDIS_URL"] = redis_url
    command = [sys.executable, "-m", "celery", "-A", "tests.bench.floor_worker", "worker", "--loglevel", "ERROR"]
    command += ["--concurrency", str(processes), "--without-gossip", "--without-mingle"]
    with (folder / "floor.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


@asynccontextmanager
async def floor_flows(database_url: str, redis_url: str, people: int) -> AsyncIterator[list[Flow]]:
    """The floor of one flow, for as many people at once."""
    # Django and its apps stay out of the floor's worker, which imports the same module by itself.
    from channels_redis.pubsub import RedisPubSubChannelLayer

    from tests.bench.floor_worker import GROUP, first

    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(FLOOR_TABLE)
    layer = RedisPubSubChannelLayer(hosts=[redis_url], prefix="floor")
    channel = await layer.new_channel()
    await layer.group_add(GROUP, channel)
    awaited: dict[str, asyncio.Future[None]] = {}

    async def listen() -> None:
        while True:
            awaited.pop((await layer.receive(channel))["sample"]).set_result(None)

    listening = asyncio.create_task(listen())
    connections = [psycopg.connect(database_url, autocommit=True) for _ in range(people)]
    try:
        yield [_floor_flow(connection, first, awaited) for connection in connections]
    finally:
        listening.cancel()
        await layer.flush()
        for connection in connections:
            connection.close()


def _floor_flow(connection: psycopg.Connection[Any], first: Any, awaited: dict[str, asyncio.Future[None]]) -> Flow:
    def commit(times: int) -> float:
        for _ in range(times):
            connection.execute("INSERT INTO floor VALUES (1)")
        return time.perf_counter()

    def commit_and_send(sample: str) -> float:
        answered = commit(COMMITS_WHEN_ANSWERED)
        commit(COMMITS_AFTERWARDS)
        first.delay(sample)
        return answered

    async def flow() -> float:
        sample = uuid4().hex
        push = awaited[sample] = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(PATIENCE):
            answered = await asyncio.to_thread(commit_and_send, sample)
            await push
        return answered

    return flow


def milliseconds_of_commit(database_url: str) -> float:
    """One insert that is on the disk, at the median."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(FLOOR_TABLE)
        return milliseconds_of(lambda: connection.execute("INSERT INTO floor VALUES (1)"))


def transactions_per_second(database_url: str, seconds: float) -> float:
    """Deliveries with a transaction each, of the least that one needs: one insert, and a row that becomes "done"."""
    return _deliveries_per_second(database_url, seconds, 1)


def batched_per_second(database_url: str, seconds: float) -> float:
    """Deliveries of which each BATCH share a claim and a transaction: one insert each, and rows that become "done"."""
    return _deliveries_per_second(database_url, seconds, BATCH)


def _deliveries_per_second(database_url: str, seconds: float, batch: int) -> float:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(FLOOR_TABLE)
        connection.execute("TRUNCATE floor")
        connection.execute("INSERT INTO floor SELECT generate_series(1, %s)", (batch,))
        count, started = 0, time.perf_counter()
        while time.perf_counter() < started + seconds:
            connection.execute("UPDATE floor SET done = NOT done WHERE number >= 1")
            with connection.transaction():
                for _ in range(batch):
                    connection.execute("INSERT INTO floor VALUES (%s)", (0,))
                connection.execute("UPDATE floor SET done = NOT done WHERE number >= 1")
            count += batch
        return count / (time.perf_counter() - started)
