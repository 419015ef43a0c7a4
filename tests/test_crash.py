"""A saved answer leads to its report, whatever dies in between."""

from __future__ import annotations

import http.client
import json
import sqlite3
import subprocess
from contextlib import closing, suppress
from pathlib import Path
from uuid import uuid4

import pytest

from tests.conftest import Person, Server

pytestmark = pytest.mark.process

START = """
from accounts.models import User
from answers import submissions
person = User.objects.get(email={email!r})
print(submissions.start(person, "quick-check").pk)
"""


def save(server: Server, person: Person, submission: str, question: str) -> int:
    """Save one answer as a browser would; gives the status."""
    token = uuid4().hex
    headers = {
        "Cookie": f"sessionid={person.session_key}; csrftoken={token}",
        "X-CSRFToken": token,
        "Origin": server.url,
        "Content-Type": "application/json",
    }
    body = json.dumps({"changes": [{"question": question, "value": "F", "note": "", "version": 0}]})
    with closing(http.client.HTTPConnection("localhost", server.port, timeout=20)) as connection:
        connection.request("POST", f"/submissions/{submission}/answers/", body, headers)
        response = connection.getresponse()
        response.read()
        return response.status


def query(server: Server, statement: str, *values: str) -> list[tuple[object, ...]]:
    """Read the server's database beside it."""
    with closing(sqlite3.connect(server.data_dir / "plumbline.sqlite3", timeout=20)) as connection:
        return connection.execute(statement, values).fetchall()


def wait_for_report(server: Server, submission: str, revision: int) -> None:
    """Wait until the one provisional report is of this revision."""
    statement = "SELECT revision FROM reports_report WHERE submission = ?"
    assert server.process is not None
    for _ in range(200):
        found = query(server, statement, submission.replace("-", ""))
        if found == [(revision,)]:
            return
        with suppress(subprocess.TimeoutExpired):
            server.process.wait(0.05)
    raise AssertionError(f"revision {revision} has no report after ten seconds: {found}\n{server.output()}")


def test_a_server_killed_after_it_said_saved_makes_the_report_at_its_next_start(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    server.start()
    try:
        person = server.person("alice@example.org")
        submission = server.manage("shell", "--no-imports", "-c", START.format(email=person.email)).stdout.strip()
        for revision in (1, 2, 3):
            assert save(server, person, submission, f"QC-{revision:02}") == 200
            server.kill()
            server.start()
            wait_for_report(server, submission, revision)
            assert query(server, "PRAGMA integrity_check") == [("ok",)]
            unfinished = "SELECT count(*) FROM eventbus_delivery WHERE status IN ('ready', 'leased')"
            assert query(server, unfinished) == [(0,)]
    finally:
        server.stop()
