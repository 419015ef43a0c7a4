"""Commands that are asked to end while they wait for the database: in order, with a sentence, leaving nothing."""

from __future__ import annotations

import signal

import psycopg
import pytest

from tests.production import Installation, Process
from tests.services import Service

pytestmark = pytest.mark.process
WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture(scope="module")
def installation(postgres: Service, redis_server: Service, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """One whose tables and questionnaires are there, and a backup of it."""
    installation = Installation(postgres, redis_server, tmp_path_factory.mktemp("interrupting"))
    installation.run("deploy/run", "release")
    installation.manage("backup", str(installation.folder / "whole.plumbline"))
    return installation


@pytest.mark.parametrize(
    ("number", "code", "by"), [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")], ids=["int", "term"]
)
@pytest.mark.parametrize(
    ("command", "table", "advice"),
    [
        ("backup {}/new.plumbline", "reports_report", "No file was made. Start it again."),
        ("restore {}/whole.plumbline", "reports_report", "Nothing was changed. Start it again."),
        ("bus replay --type AnswerEvent --yes", "eventbus_event", "Nothing was replayed."),
    ],
    ids=["backup", "restore", "replay"],
)
def test_it_says_what_became_of_it(
    installation: Installation, command: str, table: str, advice: str, number: signal.Signals, code: int, by: str
) -> None:
    before = sorted(installation.folder.iterdir())
    with psycopg.connect(installation.database_url) as obstacle:
        obstacle.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        process = Process(installation, "command", *command.format(installation.folder).split())
        process.wait_for(lambda: bool(installation.rows(WAITING)))
        process.popen.send_signal(number)
        ended_with = process.popen.wait(60)

    said = process.output
    process.log.unlink()
    assert ended_with == code, said
    last = said.splitlines()[-1]
    assert last.startswith(f"Stopped by {by}. ")
    assert last.endswith(advice)
    assert sorted(installation.folder.iterdir()) == before
