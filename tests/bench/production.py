"""The production part: the Procfile's own processes on a real PostgreSQL and Redis.

python -m tests.bench.production [--quick]
"""

from __future__ import annotations

import asyncio
from contextlib import closing

import uvloop

from tests.bench.answering import bench_answer_to_browser, bench_flows
from tests.bench.bench import FULL, PEOPLE, QUICK, Bench, warm_up_product
from tests.bench.delivering import bench_deliveries
from tests.bench.figures import emit, wants_quick
from tests.bench.growing import bench_growth, fill
from tests.bench.publishing import bench_publish
from tests.bench.sockets import bench_sockets
from tests.bench.stack import Stack, make_browsers, make_people, stack
from tests.bench.volume import Outbox
from tests.services import CannotHave


def main() -> None:
    """Run all of it."""
    amount = QUICK if wants_quick() else FULL
    try:
        with (
            stack() as services,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            people, listener = make_people(PEOPLE)
            with (
                services.copied(len(amount.stored)) as copies,
                closing(Outbox(services.installation.database_url)) as outbox,
            ):
                run(
                    Bench(services, outbox, people, listener, amount, runner),
                    dict(zip(amount.stored, copies, strict=True)),
                )
    except CannotHave as reason:
        emit("production", None, None, skipped=str(reason))


def run(bench: Bench, copies: dict[int, Stack]) -> None:
    """Every figure at each number of stored events."""
    with bench.stack.running(web=1, worker=2) as running:
        bench.runner.run(warm_up_product(bench, running))  # what is stored is made after what this publishes
    browsers = make_browsers(bench.people[0], bench.amount.sockets)
    for wanted in bench.amount.stored:
        stored = fill(bench.outbox, wanted)
        bench_flows(bench, 1, stored)
        bench_flows(bench, 2, stored)
        if wanted == bench.amount.stored[0]:
            bench_answer_to_browser(bench, stored)  # the growth compares the sizes' own
        bench_sockets(bench, browsers, stored)
        bench_publish(bench, stored)
        bench_deliveries(bench, stored)
    bench_growth(bench, copies)


if __name__ == "__main__":
    main()
