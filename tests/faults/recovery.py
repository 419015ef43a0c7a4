"""How long it takes after a fault until everything that was acknowledged before its end has its report."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from tests.faults.actors import Actor
from tests.faults.invariants import committed_revisions, newest_revisions
from tests.faults.ledger import Ledger
from tests.faults.site import NotThere, Site

POLL_SECONDS = 0.1


@dataclass
class Crash:
    """The end of a fault, and when all was well again."""

    ended: float
    wanted: dict[UUID, int]
    """The newest acknowledged revision of each submission at that moment."""
    seconds: float | None = None
    """None: not yet."""


class Recoveries(Actor):
    """Looks at the reports all the time while people go on working."""

    def __init__(self, site: Site, ledger: Ledger) -> None:
        super().__init__("recoveries")
        self.site, self.ledger = site, ledger
        self.crashes: list[Crash] = []

    def mark(self) -> Crash:
        """The fault ends now. What is committed counts, too, though nobody may have been told so."""
        wanted = {submission: fact.revision for submission, fact in self.ledger.newest().items()}
        with suppress(NotThere):
            for submission, revision in committed_revisions(self.site, wanted).items():
                wanted[submission] = max(revision, wanted[submission])
        crash = Crash(time.monotonic(), wanted)
        self.crashes.append(crash)
        return crash

    def act(self) -> None:
        while not self.stopping.wait(POLL_SECONDS):
            with suppress(NotThere):
                self._look()

    def _look(self) -> None:
        waiting = [crash for crash in self.crashes if crash.seconds is None]
        submissions = {submission for crash in waiting for submission in crash.wanted}
        if not submissions:
            for crash in waiting:
                crash.seconds = 0.0
            return
        stored = newest_revisions(self.site, submissions)
        now = time.monotonic()
        for crash in waiting:
            if all(stored.get(submission, 0) >= revision for submission, revision in crash.wanted.items()):
                crash.seconds = now - crash.ended

    @property
    def all_over(self) -> bool:
        """Whether all was well again after each crash."""
        return all(crash.seconds is not None for crash in self.crashes)

    def wait(self, seconds: float) -> None:
        """Wait until all is well again, at most so long."""
        end = time.monotonic() + seconds
        while not self.all_over and time.monotonic() < end:
            time.sleep(POLL_SECONDS)
