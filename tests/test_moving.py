"""Moving from SQLite to PostgreSQL and back: a backup of the one restored into the other, by the commands as typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.services import Service

ROOT = Path(__file__).resolve().parent.parent
KEY = "for-tests-only-" * 5
PRODUCTION = {"BASE_URL": "https://localhost", "SIGNUP": "closed", "TRUSTED_PROXIES": "0"}
pytestmark = pytest.mark.process

STORY = """
from accounts.models import User
from answers.saving import Change, save_answers
from answers.submissions import start
from eventbus.deliveries import drain_all
from reports.models import Report

alice = User.objects.first() or User.objects.create_superuser("alice@example.org", "x")
draft = alice.organisation.submissions.first() or start(alice, "quick-check")
number = draft.answers.count() + 1
save_answers(draft.pk, alice, [Change(question=f"QC-{number:02}", value="P", base_version=0, note="Grüße")])
drain_all()
print(Report.objects.get(submission=draft.pk).revision)
"""


class Installation:
    """Plumbline on one database, by its commands."""

    def __init__(self, folder: Path, **environment: str) -> None:
        folder.mkdir()
        inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        self.environment = {**inherited, "DATA_DIR": str(folder), "SECRET_KEY": KEY, **environment}

    def manage(self, *arguments: str) -> str:
        result = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert result.returncode == 0, f"{arguments}: {result.stdout}{result.stderr}"
        return result.stdout

    def prepare(self) -> None:
        self.manage("migrate", "-v0")

    def go_on(self) -> int:
        """Answer the next question; gives the revision of the report that came of it."""
        return int(self.manage("shell", "--no-imports", "-c", STORY).splitlines()[-1])


def _tables(archive: Path) -> Any:
    with zipfile.ZipFile(archive) as entries:
        return json.loads(entries.read("manifest.json"))["tables"]


def test_a_backup_moves_from_sqlite_to_postgresql_and_back(
    tmp_path: Path,
    postgres: Service,
    redis_server: Service,
) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute("CREATE DATABASE moving")
    url = postgres.url.rpartition("/")[0] + "/moving"
    small = Installation(tmp_path / "small")
    large = Installation(tmp_path / "large", DATABASE_URL=url, REDIS_URL=redis_server.url, **PRODUCTION)
    first, second = tmp_path / "first.plumbline", tmp_path / "second.plumbline"
    small.prepare()
    small.manage("load_questionnaires")
    assert [small.go_on(), small.go_on()] == [1, 2]
    small.manage("backup", str(first))

    large.prepare()
    large.manage("restore", str(first))
    large.manage("backup", str(second))
    assert _tables(second) == _tables(first)
    assert large.go_on() == 3  # new rows find free numbers
    assert "0 were not recomputed" in large.manage("verify", str(second))

    third, fourth = tmp_path / "third.plumbline", tmp_path / "fourth.plumbline"
    large.manage("backup", str(third))
    small.manage("restore", str(third), "--replace", "--yes")
    small.manage("backup", str(fourth))
    assert _tables(fourth) == _tables(third)
    assert small.go_on() == 4
