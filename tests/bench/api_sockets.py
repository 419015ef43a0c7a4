"""Subscriptions on very many sockets: what an idle one takes, and how long until all have one report."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tests.bench.api_asking import View
from tests.bench.api_subscribing import position_of, subscribe
from tests.bench.figures import emit
from tests.bench.load import Account, Connection, Hints, Person, Socket
from tests.bench.sockets import FIRST, Arrivals, spread
from tests.bench.usage import Watch, resident_bytes

REST = 11.0
"""Seconds after which the plain sockets no longer believe what they know of their sessions."""

Open = Callable[[Account, Callable[[bytes], None]], Awaitable[Socket]]


@dataclass(frozen=True)
class Many:
    """What so many sockets of one kind showed."""

    kilobytes: float
    """Of the server, for each."""
    idle: dict[str, float]
    """Milliseconds of CPU in a second in which nothing happens, by process."""
    fan_out: dict[str, float]
    """Milliseconds from a save to the first, the median and the last."""


async def bench_many(ours: View, browsers: Sequence[Account], postgres: int, runs: int, seconds: float) -> None:
    """Subscriptions of one organisation beside as many of the product's plain sockets, which only get hints.

    `seconds` is how long they are watched while nothing happens: longer than a server waits between its look-ups.
    """
    for browser in browsers:
        browser.port = ours.port
    plain = await _measure(ours, browsers, partial(Socket.open, inflates=False), postgres, runs, seconds)
    after = await position_of(ours)
    subscribed = await _measure(
        ours, browsers, partial(subscribe, after=after, inflates=False), postgres, runs, seconds
    )
    count = len(browsers)
    ratio = round(subscribed.kilobytes / plain.kilobytes, 2)
    emit("idle_subscription_kb", subscribed.kilobytes, plain.kilobytes, ratio=ratio, sockets=count)
    emit("idle_cpu_ms_per_second", subscribed.idle, plain.idle, sockets=count, seconds=seconds)
    ratio = round(subscribed.fan_out["last"] / plain.fan_out["last"], 2)
    emit("subscription_fan_out_ms", subscribed.fan_out, plain.fan_out, ratio_last=ratio, sockets=count, runs=runs)


async def _measure(
    ours: View, browsers: Sequence[Account], open_one: Open, postgres: int, runs: int, seconds: float
) -> Many:
    arrivals = Arrivals(len(browsers))
    # The first ones pay for what all others share.
    sockets = [await open_one(browser, arrivals.note) for browser in browsers[:FIRST]]
    before = resident_bytes(ours.process)
    for at in range(FIRST, len(browsers), 10):
        sockets += await asyncio.gather(*(open_one(browser, arrivals.note) for browser in browsers[at : at + 10]))
    kilobytes = (resident_bytes(ours.process) - before) / 1024 / (len(sockets) - FIRST)
    connection = Connection(ours.port)
    save = Person(ours.account, connection, Hints()).save
    await arrivals.after(save)
    idle = await _idle(ours, postgres, seconds)
    fan_out = []
    for _ in range(runs):
        await asyncio.sleep(REST)
        fan_out.append(await arrivals.after(save))
    connection.close()
    for each in sockets:
        each.close()
    return Many(round(kilobytes, 1), idle, spread(fan_out))


async def _idle(ours: View, postgres: int, seconds: float) -> dict[str, float]:
    watch = Watch({"web": [ours.process], "postgresql": [postgres]})
    await asyncio.sleep(seconds)
    return watch.milliseconds_per(round(seconds))
