"""Commands that are asked to end while they wait for the database: in order, with a sentence, leaving nothing."""

from __future__ import annotations

import signal
from copy import copy
from pathlib import Path

import psycopg
import pytest

from tests.production import Installation
from tests.services import Service

pytestmark = pytest.mark.process
WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture(scope="module")
def shared(postgres: Service, redis_server: Service, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """One whose tables and questionnaires are there, and a backup of it."""
    installation = Installation(postgres, redis_server, tmp_path_factory.mktemp("interrupting"))
    installation.run("deploy/run", "release")
    installation.manage("backup", str(installation.folder / "whole.plumbline"))
    return installation


@pytest.fixture
def installation(shared: Installation, tmp_path: Path) -> Installation:
    """The same with a folder that no other test writes into."""
    own = copy(shared)
    own.folder = tmp_path
    own.environment = {**shared.environment, "DATA_DIR": str(tmp_path)}
    return own


@pytest.mark.parametrize(
    ("number", "code", "by"), [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")], ids=["int", "term"]
)
@pytest.mark.parametrize(
    ("command", "table", "advice"),
    [
        ("backup {own}/new.plumbline", "reports_report", "No file was made. Start it again."),
        ("restore {shared}/whole.plumbline", "reports_report", "Nothing was changed. Start it again."),
        ("bus replay --type AnswerEvent --yes", "eventbus_event", "Nothing was replayed."),
    ],
    ids=["backup", "restore", "replay"],
)
def test_it_says_what_became_of_it(
    installation: Installation,
    shared: Installation,
    command: str,
    table: str,
    advice: str,
    number: signal.Signals,
    code: int,
    by: str,
) -> None:
    asked = command.format(own=installation.folder, shared=shared.folder).split()
    with psycopg.connect(installation.database_url) as obstacle, installation.command(*asked) as process:
        obstacle.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        process.wait_for(lambda: bool(installation.rows(WAITING)))
        process.popen.send_signal(number)
        ended_with = process.popen.wait(60)

    said = process.output
    assert ended_with == code, said
    last = said.splitlines()[-1]
    assert last.startswith(f"Stopped by {by}. ")
    assert last.endswith(advice)
    assert list(installation.folder.iterdir()) == [process.log]
