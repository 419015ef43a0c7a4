"""From a saved answer to the browser: how long it takes, and how many a second."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from functools import partial
from typing import Any

from tests.bench.bench import MODERATE, Bench, warm_up
from tests.bench.figures import RUNS, emit, emit_waits
from tests.bench.load import as_fast_as_possible, at_rate, one_after_another
from tests.bench.stack import Running
from tests.bench.usage import Watch


def bench_answer_to_browser(bench: Bench, stored: int) -> None:
    """HTTP save answered, and sent, -> hint on a WebSocket; product and floor take turns."""
    with bench.stack.running(web=1, worker=2) as running, bench.floor(2):
        bench.runner.run(warm_up(bench, running))
        for load, drive in (("one at a time", one_after_another), ("moderate", partial(at_rate, per_second=MODERATE))):
            bench.runner.run(_answer_to_browser(bench, running, stored, load, drive))


async def _answer_to_browser(bench: Bench, running: Running, stored: int, load: str, drive: Any) -> None:
    flows, least, spent, shares = [], [], [], []
    rounds = bench.amount.rounds
    for seed in range(RUNS):
        given = {} if load == "one at a time" else {"seed": seed}
        async with bench.flows(running) as people:
            watch = Watch(running.roots())
            flows.append(await drive(people, rounds=rounds, **given))
            spent.append(watch.milliseconds_per(rounds))
            shares.append(watch.generator_share())
        async with bench.floor_flows() as people:
            least.append(await drive(people, rounds=rounds, **given))
    emit_waits(
        flows,
        least,
        load=load if load != "moderate" else f"{MODERATE:g} a second",
        stored_events=stored,
        web=1,
        worker=2,
        people=len(bench.people),
        runs=RUNS,
        rounds=rounds,
        cpu_ms_per_flow=median_of(spent),
        generator_share=statistics.median(shares),
    )


def median_of(spent: Sequence[dict[str, float]]) -> dict[str, float]:
    """The median of each process's CPU time."""
    return {name: round(statistics.median(each[name] for each in spent), 2) for name in spent[0]}


def bench_flows(bench: Bench, processes: int, stored: int) -> None:
    """Whole flows a second with so many web and so many worker processes, everybody beginning anew at once."""
    with bench.stack.running(web=processes, worker=processes) as running, bench.floor(processes):
        bench.runner.run(warm_up(bench, running))
        bench.runner.run(_flows(bench, running, processes, stored))


async def _flows(bench: Bench, running: Running, processes: int, stored: int) -> None:
    rates, least, spent, shares = [], [], [], []
    for _ in range(RUNS):
        async with bench.flows(running) as people:
            watch = Watch(running.roots())
            rates.append(await as_fast_as_possible(people, bench.amount.seconds))
            spent.append(watch.milliseconds_per(round(rates[-1] * bench.amount.seconds)))
            shares.append(watch.generator_share())
        async with bench.floor_flows() as people:
            least.append(await as_fast_as_possible(people, bench.amount.seconds))
    rate, bottom = statistics.median(rates), statistics.median(least)
    emit(
        "flows_per_second",
        round(rate, 1),
        round(bottom, 1),
        ratio=round(rate / bottom, 2),
        stored_events=stored,
        web=processes,
        worker=processes,
        people=len(bench.people),
        runs=RUNS,
        cpu_ms_per_flow=median_of(spent),
        generator_share=statistics.median(shares),
    )
