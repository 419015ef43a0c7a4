"""The API part: /graphql on the Procfile's own processes, beside graphene-django's view in a process of its own.

Both web processes have the same machine, database, schema, session and middleware, and are asked in turns.

python -m tests.bench.api [--quick]
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import uvloop

from tests.bench.api_asking import View, bench_queries, bench_refusals, bench_steps
from tests.bench.api_operations import REPORTS, make_reports
from tests.bench.api_sockets import bench_many
from tests.bench.api_subscribing import bench_latency
from tests.bench.figures import emit, wants_quick
from tests.bench.load import Account
from tests.bench.stack import Running, Stack, make_account, make_browsers, stack
from tests.services import CannotHave

STOCK = "tests.bench.stock_settings"


@dataclass(frozen=True)
class Amount:
    """How much is measured."""

    rounds: int
    seconds: float
    refusals: int
    saves: int
    polls: int
    sockets: int
    fan_outs: int
    idle_seconds: float


FULL = Amount(200, 4.0, 5, 100, 20, 1_000, 5, 20.0)
QUICK = Amount(30, 1.0, 1, 10, 3, 100, 1, 10.0)


def main() -> None:
    """Run all of it."""
    amount = QUICK if wants_quick() else FULL
    try:
        with stack() as services, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            run(services, runner, amount)
    except CannotHave as reason:
        emit("api", None, None, skipped=str(reason))


def run(services: Stack, runner: asyncio.Runner, amount: Amount) -> None:
    """Every figure."""
    account, person = make_account("person@example.test")
    report = make_reports(person, REPORTS)
    account.submission = new_draft(person)
    browsers = make_browsers(account, amount.sockets)
    postgres = services.postgres.process.pid
    with services.running(web=1, worker=2) as running, _stock(services, account) as stock:
        ours = _ours(running, account)
        runner.run(bench_queries(ours, stock, postgres, report, amount.rounds, amount.seconds))
        runner.run(bench_refusals(ours, stock, amount.refusals))
        runner.run(bench_steps(ours, stock, amount.refusals))
        runner.run(bench_latency(ours, stock, amount.saves, amount.polls))
    with services.running(web=1, worker=2) as running:
        ours = _ours(running, account)
        runner.run(bench_many(ours, browsers, postgres, amount.fan_outs, amount.idle_seconds))


def new_draft(person: object) -> str:
    """A draft that nothing was answered in yet."""
    from answers import submissions

    return str(submissions.start(person, "quick-check").pk)  # type: ignore[arg-type]  # User, which Django has to load


def _ours(running: Running, account: Account) -> View:
    account.port = running.ports[0]
    return View(account, account.port, running.processes["web"][0].popen.pid, "/graphql")


@contextmanager
def _stock(services: Stack, account: Account) -> Iterator[View]:
    with services.web("stock", DJANGO_SETTINGS_MODULE=STOCK) as (port, process):
        yield View(replace(account), port, process, "/stock/")


if __name__ == "__main__":
    main()
