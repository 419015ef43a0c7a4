"""Processes that die without a word."""

from __future__ import annotations

from tests.faults.broker import UNACKNOWLEDGED
from tests.faults.site import Production, wait_until
from tests.faults.stage import Stage


def kill_pool_child(stage: Stage[Production]) -> None:
    """kill -9 of one process of a worker's pool, at a moment at which something is leased; three times a run."""
    for _ in range(1 if stage.short else 3):
        _wait_for_a_lease(stage)
        stage.dice.choice(stage.site.children(*stage.site.workers)).kill()
        stage.mark()
        stage.wait(stage.dice.uniform(2, 4))


def kill_worker(stage: Stage[Production]) -> None:
    """kill -9 of a whole worker, with all processes of its pool; it is started again two seconds later."""
    _wait_for_a_lease(stage)
    stage.site.kill(stage.dice.choice(stage.site.workers))
    stage.mark()
    stage.wait(4)


def kill_every_worker(stage: Stage[Production]) -> None:
    """kill -9 of every worker at the same moment; both are started again two seconds later."""
    _wait_for_a_lease(stage)
    for name in stage.site.workers:
        stage.site.kill(name)
    stage.mark()
    stage.wait(4)


def kill_web_after_commit(stage: Stage[Production]) -> None:
    """The web process dies (kill -9) after the commit of a save and before anybody was woken up, by a failpoint."""
    stage.site.failpoint.touch()
    died = wait_until(lambda: not stage.site.failpoint.exists(), 20)
    stage.expect(died, "the failpoint was not reached")
    stage.mark()
    wait_until(stage.site.installation.answers, 30)


def _wait_for_a_lease(stage: Stage[Production]) -> None:
    """Strike where it hurts: while a worker holds something."""
    if stage.site.backend.has_outbox:
        leased = "SELECT 1 FROM eventbus_delivery WHERE status = 'leased'"
        held = wait_until(lambda: bool(stage.site.rows(leased)), 20)
    else:
        held = wait_until(lambda: bool(stage.site.broker.hlen(UNACKNOWLEDGED)), 20)
    stage.expect(held, "no worker held anything")
