"""The embedded mode as people run it: `manage.py up` in a process of its own."""

from __future__ import annotations

import email
import email.policy
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import weakref
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError

from tests.services import free_port

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "correct horse battery staple"
MAIL_SECONDS = 20.0
# Starting Django and hashing a password take longer than many a test: one process makes all people of a server,
# a line of JSON for each, and hashes once.
MAKE_PEOPLE = f"""
import json, sys
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from accounts.models import Organisation, User

hashed = make_password({PASSWORD!r})
for line in sys.stdin:
    given = json.loads(line)
    home = Organisation.objects.get_or_create(name=given["organisation"])[0]
    make = User.objects.create_superuser if given["is_admin"] else User.objects.create_user
    person = make(given["email"], None, organisation=home, name=given["name"])
    person.password = hashed
    person.save()
    confirmed = {{"verified": True, "primary": True}}
    EmailAddress.objects.update_or_create(user=person, email=person.email, defaults=confirmed)
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    connection.close()
    print(session.session_key, flush=True)
"""


@dataclass(frozen=True)
class Person:
    """Somebody who has signed up and confirmed the address."""

    email: str
    password: str
    session_key: str
    server: Server

    def sign_in(self, context: BrowserContext) -> None:
        """Let a browser's context be signed in, without the form."""
        context.add_cookies([{"name": "sessionid", "value": self.session_key, "url": self.server.url}])


class Server:
    """`manage.py up` with a data folder and a port of its own."""

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        *,
        root: Path = ROOT,
        python: Path = Path(sys.executable),
        **environment: str,
    ) -> None:
        """It runs the code below `root` with that Python: by default this checkout."""
        self.data_dir = data_dir
        self.command = [str(python), str(root / "manage.py")]
        self.port = port or free_port()
        self.url = f"http://localhost:{self.port}"
        self.log = data_dir.parent / f"{data_dir.name}.log"
        inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        # Given and empty, so that a developer's `.env` does not count.
        inherited |= dict.fromkeys(("DATABASE_URL", "REDIS_URL", "EMAIL_URL"), "")
        self.environment = {**inherited, "DATA_DIR": str(data_dir), "PORT": str(self.port), **environment}
        self.process: subprocess.Popen[bytes] | None = None
        self._maker: subprocess.Popen[str] | None = None

    def start(self, timeout: float = 60.0) -> None:
        """Start it and wait until it says that it runs; raises AssertionError with its output where it does not."""
        with self.log.open("ab") as log:
            before = log.tell()
            self.process = subprocess.Popen(
                [*self.command, "up"], env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        waited = 0.0
        while "Plumbline is running" not in self.output(before):
            try:
                code = self.process.wait(0.1)
            except subprocess.TimeoutExpired:
                waited += 0.1
                if waited >= timeout:
                    self.kill()
                    raise AssertionError(f"the server did not start in time:\n{self.output()}") from None
            else:
                raise AssertionError(f"the server ended with {code}:\n{self.output()}")

    def stop(self, timeout: float = 20.0) -> int:
        """Ask it to stop and give its exit code."""
        assert self.process is not None
        self._make_no_more_people()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def end(self) -> None:
        """Stop it if it runs; who does not stop is killed."""
        self._make_no_more_people()
        if self.process is None or self.process.poll() is not None:
            return
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self._make_no_more_people()
        self.process.kill()
        self.process.wait(20)

    def output(self, since: int = 0) -> str:
        """What it has printed so far."""
        return self.log.read_bytes()[since:].decode()

    def manage(self, *arguments: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a management command on the same data folder."""
        return subprocess.run(
            [*self.command, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def person(self, email: str, organisation: str = "Acme", *, name: str = "", is_admin: bool = False) -> Person:
        """Make somebody who is signed up; people of the same organisation's name are colleagues."""
        given = {"email": email, "organisation": organisation, "name": name, "is_admin": is_admin}
        maker = self._maker_of_people()
        assert maker.stdin is not None
        assert maker.stdout is not None
        maker.stdin.write(json.dumps(given) + "\n")
        maker.stdin.flush()
        session_key = maker.stdout.readline().strip()
        assert session_key, self.output()
        return Person(email, PASSWORD, session_key, self)

    def _maker_of_people(self) -> subprocess.Popen[str]:
        if self._maker is None:
            with self.log.open("ab") as log:
                self._maker = subprocess.Popen(
                    [*self.command, "shell", "--no-imports", "-c", MAKE_PEOPLE],
                    env=self.environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
            weakref.finalize(self, _end, self._maker)
        return self._maker

    def _make_no_more_people(self) -> None:
        if self._maker is not None:
            _end(self._maker)
            self._maker = None

    def mails(self, to: str, least: int = 1, about: str = "") -> list[EmailMessage]:
        """The mails to an address that have this in their subject, oldest first. A worker writes them: it waits until
        there are as many."""
        assert self.process is not None
        waited = 0.0
        while len(found := [mail for mail in self._mails(to) if about in mail["Subject"]]) < least:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)
            waited += 0.05
            assert waited < MAIL_SECONDS, f"no mail to {to} came:\n{self.output()}"
        return found

    def _mails(self, to: str) -> list[EmailMessage]:
        paths = sorted((self.data_dir / "mail").glob("*.eml"))
        read = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths]
        return [mail for mail in read if mail["To"] == to]

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of an address, without following it to a login."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as response:  # noqa: S310
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except URLError as error:
            raise AssertionError(f"{path}: {error}\n{self.output()}") from None

    def post(self, path: str, body: str, headers: dict[str, str]) -> tuple[int, str]:
        """Status and text of what a program sends as JSON."""
        sent = {**headers, "Content-Type": "application/json", "Accept": "application/json"}
        request = urllib.request.Request(self.url + path, body.encode(), sent)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


def _end(maker: subprocess.Popen[str]) -> None:
    """Its input ends, and so it does."""
    if maker.returncode is None:
        maker.communicate(timeout=20)
