"""Redis forgets, restarts, is away, or hangs up."""

from __future__ import annotations

import time
from collections.abc import Callable

import redis

from tests.faults.site import Production
from tests.faults.stage import Stage

QUEUED = 1000


def flush(stage: Stage[Production]) -> None:
    """FLUSHALL with 1,000 messages queued."""
    _strike_with_a_full_queue(stage, lambda: stage.site.broker.flushall())


def shut_down(stage: Stage[Production]) -> None:
    """SHUTDOWN NOSAVE with 1,000 messages queued, and a start with nothing."""

    def strike() -> None:
        _shut_down(stage)
        stage.site.redis.start()

    _strike_with_a_full_queue(stage, strike)


def stay_away(stage: Stage[Production]) -> None:
    """Redis is away for 60 s under load. Every save has to be answered all the same; clients whose sockets stayed open
    have to learn of what was reported in that time, though nothing is saved afterwards."""
    seconds = 6 if stage.short else 60
    _shut_down(stage)
    for _ in range(seconds // 3):
        before = len(stage.ledger)
        stage.wait(3)
        stage.expect(len(stage.ledger) > before, "no save was acknowledged for three seconds")
    stage.expect(not stage.ledger.refused, f"{stage.ledger.refused} requests were refused while Redis was away")
    stage.rest()
    stage.wait(3)
    stage.site.redis.start()
    stage.mark()


def hang_up(stage: Stage[Production]) -> None:
    """All clients of Redis are killed twenty times; afterwards the workers have to hear wake-ups again."""
    for _ in range(5 if stage.short else 20):
        for kind in ("normal", "pubsub"):
            stage.site.broker.client_kill_filter(_type=kind, skipme=True)
        stage.wait(stage.dice.uniform(0.1, 0.9))
    stage.mark()


def _strike_with_a_full_queue(stage: Stage[Production], strike: Callable[[], object]) -> None:
    queued = 100 if stage.short else QUEUED
    with stage.site.frozen(*stage.site.workers):
        stage.burst(queued, queued // 10)
        waiting = stage.site.wakeups()
        stage.expect(waiting >= queued, f"only {waiting} messages were queued")
        strike()
    stage.mark()


def _shut_down(stage: Stage[Production]) -> None:
    client = redis.Redis.from_url(stage.site.redis.url)
    try:
        client.shutdown(nosave=True)
    except redis.ConnectionError:
        time.sleep(0.1)
    stage.site.redis.process.wait(20)
