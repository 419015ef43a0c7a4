"""Whether a flow becomes slower as events pile up: installations of each size side by side, which take turns.

A size after the other would compare one minute of the machine with another, and a tail of 200 flows moves by a third
between two minutes. Here each size gets the same load, seed for seed, within the same half minute.
"""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

from tests.bench.answering import median_of
from tests.bench.bench import MODERATE, Bench, warm_up_floor, warm_up_product
from tests.bench.figures import RUNS, emit, milliseconds, percentile
from tests.bench.load import Flow, as_fast_as_possible, at_rate, one_after_another
from tests.bench.stack import Running, Stack
from tests.bench.usage import Watch
from tests.bench.volume import Outbox


@dataclass
class Size:
    """An installation with so many stored events, and what was measured of it."""

    bench: Bench
    running: Running
    stored: int


def bench_growth(bench: Bench, copies: dict[int, Stack]) -> None:
    """Answer to browser, and flows a second, at each number of stored events; the floor, which has none, joins in."""
    with ExitStack() as stack:
        stack.enter_context(bench.floor(2))
        bench.runner.run(warm_up_floor(bench))
        sizes = [_grown(bench, copy, wanted, stack) for wanted, copy in copies.items()]
        for load in ("one at a time", f"{MODERATE:g} a second"):
            bench.runner.run(_waits(bench, sizes, load))
        bench.runner.run(_rates(bench, sizes))


def _grown(bench: Bench, copy: Stack, wanted: int, stack: ExitStack) -> Size:
    """The copy's processes, warm, and its events."""
    outbox = stack.enter_context(closing(Outbox(copy.installation.database_url)))
    # Nobody had answered anything yet when the copy was made.
    people = [replace(each, revision=0, turn=0, versions={}) for each in bench.people]
    own = replace(bench, stack=copy, outbox=outbox, people=people)
    running = stack.enter_context(copy.running(web=1, worker=2))
    bench.runner.run(warm_up_product(own, running))
    return Size(own, running, fill(outbox, wanted))


def fill(outbox: Outbox, wanted: int) -> int:
    """Have that many stored events, or one or two more; gives how many."""
    started = time.perf_counter()
    stored = outbox.fill_to(wanted)
    seconds = round(time.perf_counter() - started, 1)
    emit("filled", stored, None, seconds=seconds, megabytes=outbox.bytes() // 2**20)
    return stored


async def _waits(bench: Bench, sizes: list[Size], load: str) -> None:
    """What each size takes under the same load."""
    rounds = bench.amount.rounds
    took: dict[int, list[list[float]]] = {size.stored: [] for size in sizes}
    spent: dict[int, list[dict[str, float]]] = {size.stored: [] for size in sizes}
    least: list[list[float]] = []

    async def drive(people: list[Flow], seed: int) -> list[float]:
        alone = load == "one at a time"
        flows = await (one_after_another(people, rounds) if alone else at_rate(people, MODERATE, rounds, seed))
        return [each.since_answered for each in flows]

    for seed in range(RUNS):
        for size in sizes[seed % len(sizes) :] + sizes[: seed % len(sizes)]:
            async with size.bench.flows(size.running) as people:
                watch = Watch(size.running.roots())
                took[size.stored].append(await drive(people, seed))
                spent[size.stored].append(watch.milliseconds_per(rounds))
        async with bench.floor_flows() as people:
            least.append(await drive(people, seed))
    first = took[sizes[0].stored]
    for size in sizes:
        samples = took[size.stored]
        emit(
            "growing_answer_to_browser_ms",
            milliseconds(samples),
            milliseconds(least),
            load=load,
            stored_events=size.stored,
            p95_to_that_of_the_first=_against(samples, first, 0.95),
            p50_to_that_of_the_first=_against(samples, first, 0.5),
            p95s=[round(percentile(run, 0.95) * 1000, 1) for run in samples],
            runs=RUNS,
            rounds=rounds,
            cpu_ms_per_flow=median_of(spent[size.stored]),
        )


def _against(samples: list[list[float]], first: list[list[float]], share: float) -> float:
    """The median over the runs of how a run's percentile compares with that of the first size's run of that seed."""
    pairs = zip(samples, first, strict=True)
    return round(statistics.median(percentile(a, share) / percentile(b, share) for a, b in pairs), 2)


async def _rates(bench: Bench, sizes: list[Size]) -> None:
    """Flows a second of each size."""
    rates: dict[int, list[float]] = {size.stored: [] for size in sizes}
    for _ in range(RUNS):
        for size in sizes:
            async with size.bench.flows(size.running) as people:
                rates[size.stored].append(await as_fast_as_possible(people, bench.amount.seconds))
    first = rates[sizes[0].stored]
    for size in sizes:
        pairs = zip(rates[size.stored], first, strict=True)
        emit(
            "growing_flows_per_second",
            round(statistics.median(rates[size.stored]), 1),
            None,
            stored_events=size.stored,
            to_that_of_the_first=round(statistics.median(a / b for a, b in pairs), 2),
            runs=RUNS,
        )
