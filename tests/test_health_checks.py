"""The health checks from inside a container."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest

from operations.heartbeat import name_of_process
from operations.models import WorkerProcess

from .services import Service, free_port

pytestmark = pytest.mark.thorough

HEALTHY = Path(__file__).resolve().parent.parent / "deploy" / "healthy.py"


def _asked(what: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment}
    command = [sys.executable, str(HEALTHY), what]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


@contextmanager
def _answering(status: int) -> Iterator[tuple[int, list[tuple[str, str | None, str | None]]]]:
    """A web server that answers with a status; gives its port and what it is asked."""
    asked: list[tuple[str, str | None, str | None]] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Host"], self.headers["X-Forwarded-Proto"]))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b'{"status": "as told"}')

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port, asked
        finally:
            server.shutdown()
            thread.join()


def _check(what: str, port: int) -> tuple[int, str]:
    """Exit code and message of a health check whose web server or database is at a port."""
    settings = {
        "PORT": str(port),
        "BASE_URL": "https://plumbline.example.org",
        "DATABASE_URL": f"postgresql://plumbline@127.0.0.1:{port}/plumbline",
    }
    checked = _asked(what, **settings)
    return checked.returncode, checked.stderr


def test_the_web_check_asks_as_the_reverse_proxy_would_and_is_content_with_200() -> None:
    with _answering(200) as (port, asked):
        found = _check("web", port)

    assert found == (0, "")
    assert asked == [("/health", "plumbline.example.org", "https")]


def test_the_web_check_passes_on_what_an_unwell_server_says() -> None:
    with _answering(503) as (port, _seen):
        found = _check("web", port)

    assert found == (1, '/health answered 503: {"status": "as told"}\n')


def test_the_web_check_says_that_nobody_answers() -> None:
    port = free_port()

    code, message = _check("web", port)

    assert code == 1
    assert message.startswith(f"port {port} does not answer: ")


def test_the_worker_check_does_not_blame_a_worker_for_a_database_that_is_away() -> None:
    assert _check("worker", free_port()) == (0, "")


def test_an_unknown_check_is_refused_with_the_known_ones() -> None:
    assert _check("postgres", free_port()) == (64, "healthy.py: give one of: web worker\n")


def test_the_worker_check_asks_for_the_table_and_the_name_that_workers_write() -> None:
    source = HEALTHY.read_text()
    columns = {field.column for field in WorkerProcess._meta.fields}

    assert f"FROM {WorkerProcess._meta.db_table}\n" in source
    assert {"name", "sweeps", "beaten_at"} <= columns
    assert name_of_process().startswith(f"{socket.gethostname()}:{os.getpid()}:")


@pytest.mark.process
def test_the_worker_check_tells_a_silent_worker_of_this_machine_from_others(postgres: Service) -> None:
    here = socket.gethostname()
    url = f"{postgres.url}?options=-csearch_path%3Dhealthy"
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("CREATE SCHEMA healthy")
        database.execute("CREATE TABLE operations_workerprocess (name text, sweeps bool, beaten_at timestamptz)")

        def check_after(name: str, sweeps: bool, seconds: int) -> tuple[int, str]:
            values = (name, sweeps, seconds)
            database.execute("TRUNCATE operations_workerprocess")
            database.execute(
                "INSERT INTO operations_workerprocess VALUES (%s, %s, now() - %s * interval '1 second')", values
            )
            checked = _asked("worker", DATABASE_URL=url)
            return checked.returncode, checked.stderr

        never = (1, "this worker has never shown itself\n")
        assert check_after(f"{here}:7:5f3a09c1", True, 5) == (0, "")
        assert check_after(f"{here}:7:5f3a09c1", True, 3600)[0] == 1
        assert check_after(f"{here}:7:5f3a09c1", False, 5) == never
        assert check_after(f"not-{here}:7:5f3a09c1", True, 5) == never
