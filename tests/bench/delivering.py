"""Deliveries a second, of a handler that does one insert."""

from __future__ import annotations

import statistics
import time

from tests.bench.bench import Bench
from tests.bench.figures import RUNS, emit
from tests.bench.inserting import INSERTER
from tests.bench.production_floor import batched_per_second, transactions_per_second


def bench_deliveries(bench: Bench, stored: int) -> None:
    """Deliveries a second of a thread that drains, and of the sweepers of a worker with one process and with two."""
    url = bench.stack.installation.database_url
    least, singly = [], []
    for _ in range(RUNS):
        least.append(batched_per_second(url, bench.amount.seconds / RUNS))
        singly.append(transactions_per_second(url, bench.amount.seconds / RUNS))
    floors = {"stored_events": stored, "deliveries": bench.amount.deliveries, "runs": RUNS}
    floors["floor_one_transaction_each"] = round(statistics.median(singly))
    bottom = statistics.median(least)
    rate = drained_per_second(bench)
    emit("drain_per_second", round(rate), round(bottom), ratio=round(rate / bottom, 2), **floors)
    for processes in (1, 2):
        rate = swept_per_second(bench, processes)
        emit("sweep_per_second", round(rate), round(bottom), ratio=round(rate / bottom, 2), worker=processes, **floors)


def drained_per_second(bench: Bench) -> float:
    """Of `drain` in this process: no broker, no sweeper."""
    from eventbus.deliveries import drain

    rates = []
    for _ in range(RUNS + 1):
        bench.outbox.make_due(INSERTER, bench.amount.deliveries)
        started, handled = time.perf_counter(), 0
        while found := drain(INSERTER):
            handled += found
        rates.append(handled / (time.perf_counter() - started))
        check_effects(bench, handled)
    return statistics.median(rates[1:])


def swept_per_second(bench: Bench, processes: int) -> float:
    """Of the sweeper in each process of a worker that nobody wakes up."""
    rates = []
    with bench.stack.running(web=0, worker=processes):
        for _ in range(RUNS + 1):
            bench.outbox.make_due(INSERTER, bench.amount.deliveries)
            while bench.outbox.undelivered():
                time.sleep(0.1)
            rates.append(bench.outbox.rate(INSERTER))
            check_effects(bench, bench.amount.deliveries)
    return statistics.median(rates[1:])


def check_effects(bench: Bench, handled: int) -> None:
    """A rate of something that was not done would be worth nothing."""
    effects = bench.outbox.effects()
    if not handled == effects == bench.amount.deliveries:
        raise RuntimeError(f"{bench.amount.deliveries} due, {handled} handled, {effects} effects")
