"""Real servers on one database: uvicorn as in production, and daphne, each in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
PASSWORD = "correct horse battery staple"
SETTINGS = "api.tests.server_settings"
PEOPLE = """
from accounts.models import Organisation, User
acme = Organisation.objects.create(name="Acme")
for name in ("alice", "bob"):
    User.objects.create_user(f"{name}@example.org", PASSWORD, organisation=acme, name=name.title())
User.objects.create_user("charlie@example.org", PASSWORD, name="Charlie")
"""


@dataclass(frozen=True)
class Answer:
    """What a server answers over HTTP."""

    status: int
    headers: dict[str, str]
    """By names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Installation:
    """A data folder with Alice, Bob and Charlie in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        self.environment = {
            **inherited,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}",
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "DATA_DIR": str(folder),
            "SECRET_KEY": "for-tests-only",
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "EMAIL_URL": "",
            "LIMIT_API_COST_PERSON": "off",
            "GRAPHQL_STEP_MICROSECONDS": "1000000",
            "FRUITLESS_SOCKETS_PER_ADDRESS": "1000000",
            "GRAPHQL_RECHECK_SECONDS": "0.3",
            "GRAPHQL_INIT_SECONDS": "3",
            "GRAPHQL_SEND_SECONDS": "3",
            "GRAPHQL_MAX_OPERATIONS": "20",
        }
        folder.mkdir(parents=True, exist_ok=True)
        self.manage("migrate", "--no-input", "--verbosity", "0")
        self.manage("shell", "--no-imports", "-c", f"PASSWORD = {PASSWORD!r}\n{PEOPLE}")

    def manage(self, *arguments: str) -> None:
        """Run a management command; raises AssertionError with its output where it fails."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr

    def execute(self, statement: str, *values: object) -> list[Any]:
        """Change the database behind the servers' backs."""
        with closing(sqlite3.connect(self.folder / "plumbline.sqlite3", timeout=20)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def id_of(self, name: str) -> str:
        """The key of a person, as SQLite keeps it."""
        return str(self.execute("SELECT id FROM accounts_user WHERE email = ?", f"{name}@example.org")[0][0])

    def mails(self) -> list[str]:
        """The mails that were sent, oldest first. No worker runs beside the servers: what waits is sent here."""
        self.manage("shell", "--no-imports", "-c", "from eventbus.deliveries import drain; drain('mailing.send')")
        return [path.read_text() for path in sorted((self.folder / "mail").glob("*.eml"))]


class Server:
    """One server process."""

    def __init__(self, kind: str, installation: Installation, **environment: str) -> None:
        self.kind, self.installation = kind, installation
        self.port = _free_port()
        self.url = f"http://localhost:{self.port}"
        self.log = installation.folder / f"{kind}-{self.port}.log"
        variables = {**installation.environment, "PORT": str(self.port), **environment}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(self._command(), env=variables, stdout=log, stderr=log, cwd=ROOT)
        self._wait()

    def _command(self) -> list[str]:
        if self.kind == "daphne":
            return [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(self.port), "config.asgi:application"]
        flags = ["--http", "config.heads:Protocol", "--lifespan", "off", "--log-level", "warning", "--no-access-log"]
        flags += ["--ws-max-size", "65536", "--timeout-graceful-shutdown", "3"]
        return [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(self.port), *flags]

    def _wait(self) -> None:
        for _attempt in range(2400):
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            try:
                code = self.process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"{self.kind} ended with {code}:\n{self.log.read_text()}")
        raise AssertionError(f"{self.kind} did not start in time:\n{self.log.read_text()}")

    def stop(self) -> None:
        """Ask it to stop, as an operator would."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)

    def ask(self, path: str, body: object = None, *, method: str = "", **headers: str) -> Answer:
        """Send a request; names of headers are written with underscores. A body is sent as JSON, bytes as they are."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            sent.setdefault("Content-Type", "application/json")
        address = f"http://127.0.0.1:{self.port}{path}"
        sent.setdefault("Host", f"localhost:{self.port}")
        request = urllib.request.Request(address, data, sent, method=method or None)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
                return _answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            return _answer(error.code, error.headers, error.read())

    def token(self, name: str) -> str:
        """Log in as a native client does."""
        credentials = {"email": f"{name}@example.org", "password": PASSWORD}
        answer = self.ask("/_allauth/app/v1/auth/login", credentials)
        assert answer.status == 200, answer.body
        return str(answer.json["meta"]["session_token"])

    def graphql(self, query: str, token: str = "", **variables: object) -> Answer:
        """Execute an operation."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.ask("/graphql", {"query": query, "variables": variables}, **headers)

    def memory(self) -> int:
        """Bytes that the process holds."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


def _answer(status: int, headers: Any, body: bytes) -> Answer:
    return Answer(status, {name.lower(): value for name, value in headers.items()}, body)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
