"""Live reports on very many sockets."""

from __future__ import annotations

import asyncio
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from tests.bench.bench import Bench, warm_up
from tests.bench.figures import RUNS, emit
from tests.bench.load import PATIENCE, Account, Connection, Flow, Socket
from tests.bench.stack import ROOT, Running
from tests.bench.usage import resident_bytes
from tests.services import free_port

Measured = tuple[float, dict[str, float], dict[str, float]]
"""Kilobytes a socket; times of a message to all of them after a rest, and soon after another one."""
FIRST = 20
REST = 11.0
"""Seconds of silence after which a web process no longer believes what it knows of a socket's session."""


def bench_sockets(bench: Bench, browsers: list[Account], stored: int) -> None:
    """Kilobytes that an idle socket takes, and milliseconds until a report's hint is on all of them.

    Once when nothing had happened for a while, as is usual, and once for hints in quick succession.
    """
    with bare_server() as (port, server):
        bare_memory, _after_rest, bare_fan_out = bench.runner.run(_bare_sockets(bench, port, server))
    with bench.stack.running(web=1, worker=2) as running, bench.floor(2):
        bench.runner.run(warm_up(bench, running))
        memory, after_rest, fan_out = bench.runner.run(_product_sockets(bench, running, browsers))
    size = {"stored_events": stored, "sockets": len(browsers)}
    emit("idle_socket_kb", memory, bare_memory, ratio=round(memory / bare_memory, 2), **size)
    for after, value in ((f"{REST:g} s of silence", after_rest), ("another hint", fan_out)):
        ratio = round(value["last"] / bare_fan_out["last"], 2)
        emit("fan_out_ms", value, bare_fan_out, after=after, ratio_last=ratio, **size)


class Arrivals:
    """When messages came, on so many sockets."""

    def __init__(self, sockets: int) -> None:
        self.sockets = sockets
        self._times: list[float] = []
        self._all = asyncio.Event()

    def note(self, _frame: bytes) -> None:
        """A message came."""
        self._times.append(time.perf_counter())
        if len(self._times) == self.sockets:
            self._all.set()

    async def after(self, flow: Flow) -> list[float]:
        """Seconds from the beginning of a flow to its message's arrival on each socket, in order."""
        self._times.clear()
        self._all.clear()
        started = time.perf_counter()
        async with asyncio.timeout(PATIENCE):
            await flow()
            await self._all.wait()
        return [each - started for each in self._times]


async def _product_sockets(bench: Bench, running: Running, browsers: list[Account]) -> Measured:
    for browser in browsers:
        browser.port = running.ports[0]
    async with bench.flows(running) as flows:
        web = running.processes["web"][0].popen.pid
        return await _measure_sockets(browsers, web, "/ws/reports/", flows[0])


async def _bare_sockets(bench: Bench, port: int, server: int) -> Measured:
    account = Account(bench.people[0].host, "", "", port)
    connection = Connection(port)
    request = f"{account.head('GET', '/')}\r\n\r\n".encode()

    async def flow() -> float:
        await connection.request(request)
        return time.perf_counter()

    measured = await _measure_sockets([account] * bench.amount.sockets, server, "/", flow, rest=0.0)
    connection.close()
    return measured


async def _measure_sockets(browsers: list[Account], server: int, path: str, flow: Flow, rest: float = REST) -> Measured:
    """Kilobytes of the server for each idle socket, and the times until one message was on all of them."""
    arrivals = Arrivals(len(browsers))
    open_one = partial(Socket.open, receive=arrivals.note, path=path, inflates=False)
    # The first ones pay for what all others share.
    sockets = [await open_one(browser) for browser in browsers[:FIRST]]
    before = resident_bytes(server)
    for at in range(FIRST, len(browsers), 10):
        sockets += await asyncio.gather(*map(open_one, browsers[at : at + 10]))
    memory = (resident_bytes(server) - before) / 1024 / (len(sockets) - FIRST)
    after_rest = []
    for _ in range(RUNS):
        await asyncio.sleep(rest)
        after_rest.append(await arrivals.after(flow))
    at_once = [await arrivals.after(flow) for _ in range(RUNS)]
    for each in sockets:
        each.close()
    return round(memory, 1), spread(after_rest), spread(at_once)


@contextmanager
def bare_server() -> Iterator[tuple[int, int]]:
    """The floor's server; gives its port and its process id."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.bench.bare_sockets:application", "--port", str(port)]
    command += ["--lifespan", "off", "--log-level", "warning", "--no-access-log", "--ws-max-size", "65536"]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_until_open(port)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(20)


def wait_until_open(port: int) -> None:
    """Wait until somebody listens there."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the bare server did not start")


def spread(runs: Sequence[Sequence[float]]) -> dict[str, float]:
    """Milliseconds to the first, the median and the last, each the median over the runs."""
    named = {"first": 0, "median": len(runs[0]) // 2, "last": -1}
    return {name: round(statistics.median(run[at] for run in runs) * 1000, 1) for name, at in named.items()}
