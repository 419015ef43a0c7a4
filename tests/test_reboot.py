"""A machine that was restarted: Plumbline comes up before its database does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.production import Installation
from tests.services import Service, or_skipped, running_postgres

pytestmark = pytest.mark.process


@pytest.fixture
def database() -> Iterator[Service]:
    """A PostgreSQL of this test's own, that it may stop."""
    with or_skipped(running_postgres()) as service:
        yield service


@pytest.fixture
def rebooted(database: Service, redis_server: Service, tmp_path: Path) -> Installation:
    """An installation whose database is not there yet."""
    installation = Installation(database, redis_server, tmp_path)
    database.stop()
    return installation


def test_the_release_waits_for_its_database_and_says_so(rebooted: Installation, database: Service) -> None:
    with rebooted._process("release") as release:
        release.wait_for(lambda: "Waiting, at most" in release.output)
        database.start()
        assert release.popen.wait(120) == 0, release.output

    assert "The database does not answer yet (connection" in release.output
    assert rebooted.rows("SELECT count(*) FROM django_migrations WHERE app = 'eventbus'")[0][0] > 0


def test_it_does_not_wait_for_ever(rebooted: Installation) -> None:
    with rebooted.command("migrate", "--no-input", "--wait", "0.1") as migrate:
        assert migrate.popen.wait(60) == 1

    assert "Start it, and check DATABASE_URL" in migrate.output
