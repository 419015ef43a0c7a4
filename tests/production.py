"""The production mode as an operator runs it: each process from the Procfile, on a database of its own."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from copy import copy
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import psycopg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.services import Service, free_port

ROOT = Path(__file__).resolve().parent.parent
HOST = "plumbline.example.org"
START_SECONDS = 120.0
MAKE_PERSON = """
import json, sys
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from accounts.models import Organisation, User
from answers import submissions

person = User.objects.create_user("alice@example.org", "x", organisation=Organisation.objects.create(name="Acme"))
session = SessionStore()
session[SESSION_KEY] = str(person.pk)
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
session[HASH_SESSION_KEY] = person.get_session_auth_hash()
session.create()
print(json.dumps({"session": session.session_key, "submission": str(submissions.start(person, "quick-check").pk)}))
"""


class Installation:
    """A database, a Redis, and the processes on them. Behind a proxy with TLS, as far as the processes can tell."""

    def __init__(
        self,
        postgres: Service,
        redis_server: Service,
        folder: Path,
        *,
        root: Path = ROOT,
        python: Path = Path(sys.executable),
    ) -> None:
        """It runs the code below `root` with that Python: by default this checkout."""
        self.folder = folder
        self.root, self.python = root, python
        self.within: list[str] = []
        """The command that starts each process and command, where there is one."""
        self.port = free_port()
        name = f"plumbline_{uuid4().hex}"
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        self.database_url = urlsplit(postgres.url)._replace(path=f"/{name}").geturl()
        inherited = {key: value for key, value in os.environ.items() if key in ("HOME", "LANG", "TMPDIR")}
        self.environment = {
            **inherited,
            "PATH": os.pathsep.join([str(python.parent), os.environ["PATH"]]),
            "DATA_DIR": str(folder),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": redis_server.url,
            "SECRET_KEY": f"{uuid4().hex}-{uuid4().hex}",
            "BASE_URL": f"https://{HOST}",
            "TRUSTED_PROXIES": "1",
            "SIGNUP": "closed",
            "EMAIL_URL": "smtp://127.0.0.1:25",
            "PORT": str(self.port),
            "WORKER_CONCURRENCY": "1",
            "LOG_LEVEL": "INFO",
            "LOG_FORMAT": "json",
        }

    def by(self, root: Path, python: Path) -> Installation:
        """The same installation, on the same database, by another build's code."""
        other = copy(self)
        other.root, other.python = root, python
        path = os.pathsep.join([str(python.parent), os.environ["PATH"]])
        other.environment = {**self.environment, "PATH": path}
        return other

    def run(self, *command: str, timeout: float = 120.0) -> str:
        """Run a command to its end; gives what it printed."""
        whole = [*self.within, *command]
        done = subprocess.run(
            whole,
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def manage(self, *arguments: str, timeout: float = 120.0) -> str:
        """Run a management command."""
        return self.run(str(self.python), "manage.py", *arguments, timeout=timeout)

    @contextmanager
    def web(self) -> Iterator[Process]:
        """A web process that answers; it is ended at the end of the block."""
        with self._process("web") as process:
            process.wait_for(self.answers)
            yield process

    @contextmanager
    def worker(self, name: str = "worker") -> Iterator[Process]:
        """A worker; it is ended at the end of the block."""
        with self._process(name) as process:
            yield process

    @contextmanager
    def command(self, *manage: str) -> Iterator[Process]:
        """A management command that runs beside; where it has not ended by the end of the block, it is killed."""
        process = Process(self, "command", *manage)
        try:
            yield process
        finally:
            process.popen.kill()
            process.popen.wait(10)

    def answers(self) -> bool:
        """Whether the web process serves pages."""
        with suppress(OSError), closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request("GET", "/accounts/login/", headers={"Host": HOST, "X-Forwarded-Proto": "https"})
            return connection.getresponse().status == http.client.OK
        return False

    @contextmanager
    def _process(self, name: str) -> Iterator[Process]:
        process = Process(self, name)
        try:
            yield process
        finally:
            process.end()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the database directly."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(statement.encode()).fetchall()


class Process:
    """One process of the Procfile, started by deploy/run, or a command that runs beside them."""

    def __init__(self, installation: Installation, name: str, *manage: str, log: str = "", **environment: str) -> None:
        """With `manage`, a management command and its arguments, it is that and none of the Procfile."""
        self.log = installation.folder / f"{log or name}.log"
        root = installation.root
        command = [str(installation.python), "manage.py", *manage] if manage else [str(root / "deploy" / "run"), name]
        with self.log.open("ab") as file:
            self.popen = subprocess.Popen(
                [*installation.within, *command],
                cwd=root,
                env={**installation.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )

    def wait_for(self, is_there: Callable[[], bool]) -> None:
        """Wait until it is as it should be; AssertionError with its log where it ends first or takes too long."""
        waited = 0.0
        while not is_there():
            waited += 0.1
            try:
                code = self.popen.wait(0.1)
            except subprocess.TimeoutExpired:
                assert waited < START_SECONDS, f"it takes too long:\n{self.output}"
            else:
                raise AssertionError(f"it ended with {code}:\n{self.output}")

    @property
    def output(self) -> str:
        """What it has logged so far."""
        return self.log.read_text(errors="replace")

    def terminate(self) -> None:
        """Ask it to end, as systemd, Docker and Kubernetes do."""
        self.popen.terminate()

    def end(self) -> int:
        """Ask it to end if it has not been, and give its exit status; who does not end is killed."""
        if self.popen.poll() is None:
            self.popen.terminate()
        try:
            return self.popen.wait(60)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait(10)
            raise


class Browser:
    """Somebody who is signed in, as seen from the web process: behind the proxy."""

    def __init__(self, installation: Installation) -> None:
        made = json.loads(installation.manage("shell", "--no-imports", "-c", MAKE_PERSON).splitlines()[-1])
        self.submission: str = made["submission"]
        self.port = installation.port
        self.token: str = made["session"]
        """What a native client would have got by logging in."""
        token = uuid4().hex
        self.cookie = {"Cookie": f"sessionid={made['session']}; csrftoken={token}"}
        self.headers = {
            **self.cookie,
            "Host": HOST,
            "Origin": f"https://{HOST}",
            "X-CSRFToken": token,
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": "192.0.2.1",
        }

    def live(self) -> ClientConnection:
        """The socket on which hints arrive."""
        return connect(
            f"ws://127.0.0.1:{self.port}/ws/reports/",
            origin=Origin(f"https://{HOST}"),
            additional_headers=self.cookie,
            proxy=None,
            open_timeout=30,
        )

    def save(self, answers: dict[str, str]) -> int:
        """Save answers as autosave.js does; gives the status."""
        changes = [{"question": key, "value": value, "note": "", "version": 0} for key, value in answers.items()]
        body = json.dumps({"changes": changes}).encode()
        return self._post(f"/submissions/{self.submission}/answers/", body, "application/json")

    def submit(self) -> int:
        """Submit; gives the status of the page that follows."""
        path = f"/submissions/{self.submission}/submit/"
        return self._post(path, urlencode({}).encode(), "application/x-www-form-urlencoded")

    def page(self, path: str) -> str:
        """Open a page; gives its HTML."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=self.headers)
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=30) as response:
            return str(response.read().decode())

    def _post(self, path: str, body: bytes, content_type: str) -> int:
        headers = {**self.headers, "Content-Type": content_type, "Accept": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers)
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=30) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The proxy's addresses can't be followed here."""

    def redirect_request(self, *arguments: Any) -> None:
        return None
