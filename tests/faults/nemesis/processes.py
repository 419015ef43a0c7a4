"""Processes that die without a word."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import psutil

from tests.faults.broker import UNACKNOWLEDGED
from tests.faults.site import Production, wait_until
from tests.faults.stage import Stage


def kill_pool_child(stage: Stage[Production]) -> None:
    """kill -9 of one process of a worker's pool, at a moment at which something is leased; three times a run."""
    for _ in range(1 if stage.short else 3):
        _kill(stage, [stage.dice.choice(stage.site.children(*stage.site.workers))])
        stage.wait(stage.dice.uniform(2, 4))


def kill_worker(stage: Stage[Production]) -> None:
    """kill -9 of a whole worker, with all processes of its pool; it is started again two seconds later."""
    _kill(stage, stage.site.with_children(stage.dice.choice(stage.site.workers)))
    stage.wait(4)


def kill_every_worker(stage: Stage[Production]) -> None:
    """kill -9 of every worker at the same moment. Nobody saves afterwards, so that no later save covers for what was at
    work. Both are started again two seconds later."""
    _kill(stage, stage.site.with_children(*stage.site.workers))
    stage.rest()
    stage.wait(4)


def kill_web_after_commit(stage: Stage[Production]) -> None:
    """The web process dies (kill -9) after the commit of a save and before anybody was woken up, by a failpoint. The
    person sends the save again and then stops, so that no later save covers for it."""
    stage.site.failpoint.touch()
    died = wait_until(lambda: not stage.site.failpoint.exists(), 20)
    stage.expect(died, "the failpoint was not reached")
    stage.mark()
    stage.rest()
    wait_until(stage.site.installation.answers, 30)


def _kill(stage: Stage[Production], processes: list[psutil.Process]) -> None:
    """Strike where it hurts: as soon as a worker holds something."""
    stage.expect(wait_until(partial(_is_at_work, stage.site), 20, pause=0.002), "no worker held anything")
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    stage.mark()


def _is_at_work(site: Production) -> bool:
    if site.backend.has_outbox:
        return bool(site.rows("SELECT 1 FROM eventbus_delivery WHERE status = 'leased'"))
    return bool(site.broker.hlen(UNACKNOWLEDGED))
