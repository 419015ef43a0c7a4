"""One run: people work, clients watch, the nemesis strikes, and at rest everything is held to the ledger."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar
from uuid import UUID, uuid4

from tests.faults import broker, evidence
from tests.faults.actors import Actor
from tests.faults.invariants import Findings, examine, submission_of
from tests.faults.ledger import Acknowledged, Ledger
from tests.faults.people import Person
from tests.faults.recovery import Crash, Recoveries
from tests.faults.results import Result
from tests.faults.site import Embedded, NotThere, Production, Session, Site, make_people
from tests.faults.watchers import Watcher

S = TypeVar("S", bound=Production | Embedded)
PEOPLE, ORGANISATIONS, WATCHERS = 6, 2, 4
WARM_SECONDS = 2.0
TAIL_SECONDS = 3.0
"""How long people go on working after the fault."""


class Unavailable(Exception):
    """This fault can't be had on this machine; the message says what to install."""


@dataclass(frozen=True)
class Fault(Generic[S]):
    """Something that goes wrong."""

    name: str
    inject: Callable[[Stage[S]], None]
    """Breaks it under load; returns when nothing is broken any longer. Its docstring is what the documentation says."""
    mode: Literal["production", "embedded"] = "production"
    plain: bool = True
    """Whether the plain alternative can be broken in the same way."""
    short: bool = True
    """Whether there is a short form, for `make test`."""
    before: bool = False
    """Whether the installation begins as the release before. It is this checkout's afterwards: each run has its own."""
    settle: float = 45.0
    """Seconds that everything may take to come to rest after people have stopped."""


class Stage(Generic[S]):
    """What a fault may use while it strikes."""

    def __init__(self, site: S, seed: int, *, short: bool) -> None:
        self.site, self.short = site, short
        self.dice = random.Random(seed)
        self.ledger = Ledger()
        self.problems: list[str] = []
        """What went wrong besides the invariants, in words."""
        self.figures: dict[str, float] = {}
        """What is worth telling besides the table."""
        sessions = make_people(site, f"run-{uuid4().hex[:8]}", 3 if short else PEOPLE, ORGANISATIONS)
        self.organisations = sorted({session.organisation for session in sessions})
        self.people = [Person(site, session, self.ledger, self._dice()) for session in sessions]
        self.watchers = [self.watcher(sessions[n % len(sessions)]) for n in range(2 if short else WATCHERS)]
        self.recoveries = Recoveries(site, self.ledger)

    def watcher(self, session: Session) -> Watcher:
        """One more client, not yet started."""
        return Watcher(self.site, session, self._dice())

    def mark(self) -> Crash:
        """A crash, or the end of a fault: from now on the seconds count."""
        return self.recoveries.mark()

    def rest(self) -> None:
        """Let people do nothing more, so that no later report tells a client of an earlier one."""
        for person in self.people:
            person.resting.set()

    def wait(self, seconds: float) -> None:
        """Let people work."""
        time.sleep(seconds)

    def expect(self, holds: bool, otherwise: str) -> None:
        """Note a problem where something does not hold."""
        if not holds:
            self.problems.append(otherwise)

    def burst(self, events: int, submissions: int) -> None:
        """Publish many events at once; they are acknowledged, too."""
        printed = self.site.manage(
            "faults_burst",
            str(self.organisations[0]),
            *("--events", str(events), "--submissions", str(submissions)),
            *("--seed", str(self.dice.randrange(2**31))),
        )
        for line in printed.splitlines():
            if line.startswith("{"):
                fact = json.loads(line)
                self.ledger.note(
                    Acknowledged(UUID(fact["submission"]), fact["revision"], fact["answers"], fact["final"])
                )

    def _dice(self) -> random.Random:
        return random.Random(self.dice.randrange(2**31))


def play(fault: Fault[S], site: S, seed: int, *, short: bool = False) -> Result:
    """One run of a fault; gives what came of it."""
    stage = Stage(site, seed, short=short)
    for thread in (*stage.people, *stage.watchers, stage.recoveries):
        thread.start()
    stage.wait(1 if short else WARM_SECONDS)
    _strike(fault, stage)
    injected = _database_time(site)
    stage.wait(1 if short else TAIL_SECONDS)
    _end(stage.people)
    stage.recoveries.wait(fault.settle)
    findings = _come_to_rest(stage, fault.settle)
    if stage.recoveries.crashes and findings.at_rest:
        since = time.monotonic() - stage.recoveries.crashes[-1].ended
        stage.figures["seconds from there to rest, clients and all"] = round(since, 1)
    _end([*stage.watchers, stage.recoveries])
    if injected is not None:
        stage.figures["median wait for a claim afterwards (ms)"] = _median_wait(site, injected)
    actors: list[Actor] = [*stage.people, *stage.watchers, stage.recoveries]
    stage.problems += [actor.error for actor in actors if actor.error]
    result = _result(fault, stage, findings, seed)
    if result.broken:
        evidence.write(Path("var") / f"faults-{fault.name}-{site.backend.name}-{seed}.txt", site, result, findings)
    return result


def _strike(fault: Fault[S], stage: Stage[S]) -> None:
    """A fault that could not be carried through is a problem of its run, not the end of the series."""
    try:
        fault.inject(stage)
    except (AssertionError, NotThere, subprocess.TimeoutExpired) as error:
        stage.problems.append(f"the fault was not carried through: {type(error).__name__}: {error}")


def _end(actors: Sequence[Actor]) -> None:
    """Tell all of them to stop before waiting for any."""
    for actor in actors:
        actor.stopping.set()
    for actor in actors:
        actor.end()


def _database_time(site: Site) -> str | None:
    """PostgreSQL's clock; None where there are no deliveries to be timed by it."""
    if not (isinstance(site, Production) and site.backend.has_outbox):
        return None
    with suppress(NotThere):
        return str(site.rows("SELECT now()")[0][0])
    return None


def _median_wait(site: Site, since: str) -> float:
    """Milliseconds from publishing to the claim: some ten where workers hear their wake-ups, half a second where only
    the sweeper finds the work. -1 where nothing was published."""
    rows = site.rows(
        "SELECT 1000 * extract(epoch FROM percentile_cont(0.5) WITHIN GROUP (ORDER BY claimed_at - created_at)) "
        f"FROM eventbus_delivery WHERE subscriber = 'security.evaluate' AND created_at > '{since}'"
    )
    return -1.0 if rows[0][0] is None else round(float(rows[0][0]), 1)


def _come_to_rest(stage: Stage[S], seconds: float) -> Findings:
    """Look again and again until everything has arrived, or the time is over."""
    end = time.monotonic() + seconds
    while True:
        try:
            findings = examine(stage.site, stage.ledger, stage.watchers, stage.organisations)
            if findings.at_rest or time.monotonic() > end:
                return findings
        except NotThere:
            if time.monotonic() > end:
                raise
        time.sleep(0.5)


def _result(fault: Fault[S], stage: Stage[S], findings: Findings, seed: int) -> Result:
    late = broker.held(stage.site, findings) if isinstance(stage.site, Production) else set()
    stage.expect(not findings.unheard, f"{findings.unheard} messages that no worker takes")
    recoveries = [crash.seconds for crash in stage.recoveries.crashes]
    return Result(
        fault=fault.name,
        backend=stage.site.backend.name,
        seed=seed,
        short=stage.short,
        acknowledged=len(stage.ledger),
        lost=len([each for each in findings.lost if submission_of(each) not in late]),
        late=len(late),
        doubled=findings.doubled,
        stale=len(findings.stale - late),
        missed=findings.missed,
        overdue=findings.overdue,
        recoveries=[None if seconds is None else round(seconds, 2) for seconds in recoveries],
        refused=stage.ledger.refused,
        slowest_answer=round(stage.ledger.slowest, 2),
        figures=stage.figures,
        problems=stage.problems,
    )
