"""The production mode behind a PgBouncer that pools transactions: what belongs to a connection is soon another's."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.production import ROOT, Browser, Installation
from tests.services import CannotHave, Service, running_pgbouncer
from tests.walking import GOLDEN

pytestmark = pytest.mark.process
ANSWERS = GOLDEN | {"exposed": "no", "provider": "no"}
COUNT_THREE_TIMES = "from accounts.models import User; [User.objects.count() for _ in range(3)]"
READ_BY_PAGES = """
import os, psycopg
from accounts.models import Organisation
Organisation.objects.bulk_create(Organisation(name=str(number)) for number in range(300))
there = Organisation.objects.count()
rows = Organisation.objects.order_by("pk").iterator(chunk_size=100)
first = next(rows)
other = psycopg.connect(os.environ["DATABASE_URL"].partition("?")[0])
other.execute("SELECT 1")  # takes, for its transaction, the connection that became free last
print(there, 1 + sum(1 for _ in rows))
"""


@pytest.fixture(scope="module")
def installation(
    postgres: Service, redis_server: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """One that has its tables; processes reach PostgreSQL through PgBouncer and prepare no statements."""
    with ExitStack() as stack:
        try:
            pooler = stack.enter_context(running_pgbouncer(postgres))
        except CannotHave as reason:
            pytest.skip(str(reason))
        installation = Installation(postgres, redis_server, tmp_path_factory.mktemp("pooler"))
        address = urlsplit(pooler.url)._replace(path=urlsplit(installation.database_url).path).geturl()
        installation.environment["DATABASE_URL"] = f"{address}?prepare_threshold=none"
        installation.run("deploy/run", "release")
        yield installation


def test_a_save_becomes_a_report_and_everything_can_be_backed_up(installation: Installation, tmp_path: Path) -> None:
    browser = Browser(installation)
    with installation.web(), installation.worker(), browser.live() as live:
        assert browser.save(ANSWERS) == 200
        assert json.loads(live.recv(30))["state"] == "new"
        assert browser.submit() == 302
        assert json.loads(live.recv(30))["revision"] == 2
    assert installation.rows("SELECT provisional, rating FROM reports_report") == [(False, "D")]
    archive = str(tmp_path / "monday.plumbline")
    installation.manage("backup", archive)
    assert "1 evaluations came out the same" in installation.manage("verify", archive)


def test_rows_that_are_read_by_and_by_come_whole(installation: Installation) -> None:
    there, read = installation.manage("shell", "--no-imports", "-c", READ_BY_PAGES).splitlines()[-1].split()
    assert read == there
    assert int(read) >= 300


def test_a_command_says_what_the_address_lacks(installation: Installation) -> None:
    address = installation.environment["DATABASE_URL"].partition("?")[0]
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", COUNT_THREE_TIMES]
    environment = {**installation.environment, "DATABASE_URL": address}

    # Each prepares a statement under the same name; the third at the latest meets a connection that has it.
    ended = [
        subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
        for _process in range(3)
    ]

    assert ended[-1].returncode == 1
    (line,) = ended[-1].stderr.splitlines()
    assert line.startswith("The pooler in front of the database can't keep prepared statements")
    assert "?prepare_threshold=none" in line


@pytest.mark.parametrize(
    ("query", "line"),
    [
        ("?prepare_threshold=none", "✓ Pooler of connections"),
        ("", "· Pooler of connections: statements are prepared through it"),
    ],
    ids=["not prepared", "prepared"],
)
def test_the_doctor_sees_the_pooler(installation: Installation, query: str, line: str) -> None:
    address = installation.environment["DATABASE_URL"].partition("?")[0]
    environment = {**installation.environment, "DATABASE_URL": f"{address}{query}"}
    command = [sys.executable, "manage.py", "doctor"]

    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)

    assert line in said.stdout.splitlines()
