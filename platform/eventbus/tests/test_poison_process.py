"""An event that kills its worker takes no other event to the grave."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from contracts import AnswerEvent
from eventbus import subscribe
from eventbus.tests.making import commit, saved

WORKER = """
import os, django
django.setup()
from contracts import AnswerEvent
from eventbus import Retry, subscribe
from eventbus.deliveries import drain_all
from eventbus.subscriptions import registry
from eventbus.tests.making import effect
registry.clear()

@subscribe(AnswerEvent, name="test.fragile", retry=Retry(max_attempts=2))
def fragile(event):
    effect(event.answer.revision)
    if event.answer.revision == 2:
        os._exit(9)

drain_all()
"""


def run_worker(folder: Path) -> int:
    """A worker process that drains everything; gives its exit status."""
    environment = os.environ | {
        "DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": os.pathsep.join([str(settings.ROOT), str(settings.ROOT / "platform")]),
    }
    return subprocess.run([sys.executable, "-c", WORKER], env=environment, check=False, timeout=60).returncode


class Database:
    """The workers' database: a file of their own, into which this test looks from outside."""

    def __init__(self, file: Path) -> None:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(file)])
        self.connection = sqlite3.connect(file, isolation_level=None)

    def deliveries(self) -> list[tuple[int, str, int]]:
        """Position, status and attempts."""
        rows = self.connection.execute("SELECT status, attempts FROM eventbus_delivery ORDER BY id").fetchall()
        return [(number, *row) for number, row in enumerate(rows, start=1)]

    def effects(self) -> list[str]:
        rows = self.connection.execute("SELECT session_data FROM django_session ORDER BY session_data").fetchall()
        return [label for (label,) in rows]

    def let_leases_run_out(self) -> None:
        self.connection.execute("UPDATE eventbus_delivery SET leased_until = '2000-01-01' WHERE status = 'leased'")


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_a_killer_is_claimed_alone_and_dies_while_its_neighbours_are_delivered(tmp_path: Path) -> None:
    subscribe(AnswerEvent, name="test.fragile")(lambda event: None)
    commit(saved(revision=1), saved(revision=2), saved(revision=3))
    database = Database(tmp_path / "plumbline.sqlite3")

    assert run_worker(tmp_path) == 9
    assert database.deliveries() == [(1, "done", 1), (2, "leased", 1), (3, "leased", 1)]

    database.let_leases_run_out()
    assert run_worker(tmp_path) == 9
    assert database.deliveries() == [(1, "done", 1), (2, "leased", 2), (3, "leased", 1)]

    database.let_leases_run_out()
    assert run_worker(tmp_path) == 0
    assert database.deliveries() == [(1, "done", 1), (2, "dead", 2), (3, "done", 2)]
    assert database.effects() == ["1", "3"]
    database.connection.close()
