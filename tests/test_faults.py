"""A short form of `make faults`: one run of each fault that takes seconds, with a small load.

How long a recovery takes is measured there and not here, for this machine may be busy with other tests.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from uuid import UUID

import psutil
import pytest

from tests.bench.against.builds import Build
from tests.bench.against.turns import CannotMeasure
from tests.faults.app.poison import POISON
from tests.faults.backends import PRODUCT
from tests.faults.broker import backwards, tenfold
from tests.faults.invariants import Findings, examine
from tests.faults.ledger import Ledger
from tests.faults.nemesis.catalogue import FAULTS
from tests.faults.people import FIRST_ANSWERS, Person
from tests.faults.site import Embedded, Production, Session, build_before, make_people, wait_until
from tests.faults.stage import Fault, Stage, play
from tests.faults.watchers import Watcher
from tests.services import or_skipped, running_postgres, running_redis

pytestmark = pytest.mark.process
SEED = 20261125


def short_ones(mode: str) -> list[str]:
    """The names of the faults that have a short form."""
    return [name for name, fault in FAULTS.items() if fault.short and fault.mode == mode and not fault.before]


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """Services of its own: the faults end them."""
    with or_skipped(running_postgres()) as postgres, or_skipped(running_redis()) as redis_server:
        site = Production(postgres, redis_server, tmp_path_factory.mktemp("faults"), PRODUCT)
        try:
            site.start()
            yield site
        finally:
            site.stop()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Embedded]:
    site = Embedded(tmp_path, PRODUCT)
    site.start()
    yield site
    site.stop()


@pytest.mark.parametrize("name", short_ones("production"))
def test_what_was_acknowledged_survives_in_production(production: Production, name: str) -> None:
    assert play(FAULTS[name], production, SEED, short=True).violations == []


@pytest.fixture
def before() -> Iterator[Build]:
    """The release before."""
    try:
        with build_before() as build:
            yield build
    except CannotMeasure as reason:
        pytest.skip(str(reason))


@pytest.mark.long
def test_what_was_acknowledged_survives_an_upgrade_beside_the_release_before(tmp_path: Path, before: Build) -> None:
    with or_skipped(running_postgres()) as postgres, or_skipped(running_redis()) as redis_server:
        site = Production(postgres, redis_server, tmp_path, PRODUCT, before)
        try:
            site.start()
            assert play(FAULTS["old-beside-new"], site, SEED, short=True).violations == []
        finally:
            site.stop()


@pytest.mark.long
def test_what_was_acknowledged_survives_an_upgrade_of_the_embedded_mode_and_going_back(
    tmp_path: Path, before: Build
) -> None:
    site = Embedded(tmp_path, PRODUCT, before)
    try:
        site.start()
        assert play(FAULTS["forth-and-back"], site, SEED, short=True).violations == []
    finally:
        site.stop()


def roll_over(stage: Stage[Production]) -> None:
    """An upgrade to the same version: tables first, beside the running processes, then one process after the other."""
    stage.site.installation.run("deploy/run", "release")
    stage.site.replace_web()
    for name in stage.site.workers:
        stage.site.replace_worker(name)


def test_what_was_acknowledged_survives_a_rolling_restart(production: Production) -> None:
    result = play(Fault("rolling-restart", roll_over), production, SEED, short=True)

    assert result.violations == []
    assert (result.lost, result.doubled, result.missed) == (0, 0, 0)


def test_a_worker_whose_handler_hangs_stops_all_the_same(production: Production) -> None:
    (session,) = make_people(production, "hanging", 1, 1)
    hangs = f"subscriber = 'faults.taste' AND key = '{session.submission}'"
    Person(production, session, Ledger(), Random(SEED)).save(FIRST_ANSWERS, note=f"{POISON}hangs")
    held = f"SELECT 1 FROM eventbus_delivery WHERE {hangs} AND status = 'leased'"  # noqa: S608
    assert wait_until(lambda: bool(production.rows(held)), 30)
    workers = [production.processes[name].popen for name in production.workers]
    children = production.children(*production.workers)

    for worker in workers:
        worker.terminate()

    try:
        # The deployment files kill what has not ended after a minute.
        assert [worker.wait(60) for worker in workers] == [0, 0]
        assert psutil.wait_procs(children, timeout=10)[1] == []
    finally:
        give_up = "SET status = 'dead', finished_at = now(), lease_token = NULL, leased_until = NULL"
        production.rows(f"UPDATE eventbus_delivery {give_up} WHERE {hangs} AND finished_at IS NULL RETURNING id")


@pytest.mark.parametrize("name", short_ones("embedded"))
def test_what_was_acknowledged_survives_in_the_embedded_mode(embedded: Embedded, name: str) -> None:
    assert play(FAULTS[name], embedded, SEED, short=True).violations == []


@dataclass
class Rest:
    """An installation at rest, in which somebody has submitted: what the invariants are tried on."""

    site: Embedded
    session: Session
    ledger: Ledger
    watcher: Watcher

    def findings(self) -> Findings:
        return examine(self.site, self.ledger, [self.watcher], [self.session.organisation])

    def tamper(self, statement: str) -> None:
        """Change the database behind the product's back."""
        with closing(sqlite3.connect(self.site.server.data_dir / "plumbline.sqlite3", timeout=20)) as connection:
            connection.execute(statement)
            connection.commit()


@pytest.fixture
def rest(embedded: Embedded) -> Iterator[Rest]:
    (session,) = make_people(embedded, "rest", 1, 1)
    ledger, dice = Ledger(), Random(SEED)
    person, watcher = Person(embedded, session, ledger, dice), Watcher(embedded, session, dice)
    watcher.start()
    person.save(FIRST_ANSWERS)
    person.submit()
    rest = Rest(embedded, session, ledger, watcher)
    assert wait_until(lambda: rest.findings().at_rest, 30), rest.findings()
    yield rest
    watcher.end()


def test_the_invariants_see_what_is_lost_stale_missed_and_doubled(rest: Rest) -> None:
    submission, newest = rest.session.submission, rest.ledger.newest()[rest.session.submission]
    assert rest.findings() == Findings()

    rest.tamper("INSERT INTO faults_effect SELECT * FROM faults_effect WHERE state = 'new' LIMIT 1")
    assert rest.findings().doubled == 1
    rest.tamper("UPDATE reports_report SET evaluation = json_set(evaluation, '$.score', 99)")
    assert rest.findings().stale == {submission}
    rest.ledger.note(replace(newest, revision=newest.revision + 1, final=False))
    assert rest.findings().stale == {submission}
    rest.ledger.note(replace(newest, submission=UUID(int=1), final=False))
    assert rest.findings().lost == {UUID(int=1)}
    rest.tamper("DELETE FROM faults_effect")
    assert rest.findings().lost == {UUID(int=1), (submission, newest.revision)}
    rest.watcher.end()
    rest.watcher.shown.clear()
    assert rest.findings().missed == 1
    rest.tamper("UPDATE eventbus_delivery SET status = 'ready', finished_at = NULL, created_at = '2000-01-01'")
    assert rest.findings().overdue > 0


def test_a_message_is_sent_again_under_a_tag_of_its_own() -> None:
    message = json.dumps({"body": "b", "properties": {"delivery_tag": "first"}})
    copies = [json.loads(copy) for copy in tenfold([message, message])]
    assert len({copy["properties"]["delivery_tag"] for copy in copies}) == len(copies) == 20
    assert backwards(["1", "2", "3"]) == ["3", "2", "1"]
