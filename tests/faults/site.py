"""The installations that are loaded and broken: the production mode's processes, and the embedded one."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import psutil
import psycopg
import redis

from tests.bench.against.builds import Build, build_of, first_with
from tests.embedded import ROOT, Server
from tests.faults.app.failpoint import ARMED
from tests.faults.backends import Backend
from tests.mail_server import MailServer
from tests.production import HOST, Installation, Process
from tests.services import Service, free_port
from tests.unlimited import WITHOUT_BUCKETS

RULE_OF_UPGRADES = "platform/contracts/rolling.py"
TURN_SECONDS = 0.1
"""For how long people meet one of two web processes before they meet the other."""
RESTART_SECONDS = 2.0
"""How long systemd waits before it starts a process again (deploy/systemd)."""
COMMAND_SECONDS = 600.0
QUEUES = ("celery", "security", "reports", "mail")
EFFECTS = "CREATE TABLE faults_effect (organisation text, submission text, revision integer, engine text, state text)"


@contextmanager
def build_before() -> Iterator[Build]:
    """What an upgrade to this checkout begins with: the oldest build that follows the rule of rolling upgrades, for
    from that one on every version may run beside the next. It is found by the rule's file. Raises CannotMeasure."""
    with build_of(first_with(RULE_OF_UPGRADES), _say) as build:
        yield build


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


class NotThere(Exception):
    """The database does not answer."""


@dataclass(frozen=True)
class Session:
    """Somebody who is signed in and has started a quick check."""

    session: str
    submission: UUID
    organisation: UUID
    csrf: str = field(default_factory=lambda: uuid4().hex)


class Site(Protocol):
    """What people, watchers and invariants need to know of an installation."""

    backend: Backend
    port: int
    origin: str
    headers: dict[str, str]
    mail: MailServer

    def manage(self, *arguments: str) -> str:
        """Run a management command to its end; gives what it printed."""

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the database; raises NotThere where it does not answer."""

    def wakeups(self) -> int:
        """How many messages wait for a worker in the broker, as far as that can be seen from outside."""

    def output(self) -> str:
        """The end of what the processes have logged."""


def make_people(site: Site, run: str, people: int, organisations: int) -> list[Session]:
    """Make the people of a run."""
    printed = site.manage("faults_people", run, "--people", str(people), "--organisations", str(organisations))
    made = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return [Session(each["session"], UUID(each["submission"]), UUID(each["organisation"])) for each in made]


class Production:
    """A web process and two workers on PostgreSQL and Redis, each kept running as systemd would."""

    def __init__(
        self, postgres: Service, redis_server: Service, folder: Path, backend: Backend, before: Build | None = None
    ) -> None:
        """With `before` it begins as that build; a fault brings it forward."""
        self.backend = backend
        self.postgres, self.redis = postgres, redis_server
        self.installation = Installation(postgres, redis_server, folder)
        self.failpoint = folder / "failpoint"
        self.mail = MailServer()
        self.installation.environment |= {
            "DJANGO_SETTINGS_MODULE": backend.settings,
            "WORKER_CONCURRENCY": "2",
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail.port}",
            **WITHOUT_BUCKETS,
        }
        self.before = self.installation.by(before.root, before.python) if before else None
        self._tables = self.before or self.installation
        """What has made the tables: by that commands are run, and processes unless it is said otherwise."""
        self._builds: dict[str, Installation] = {}
        self.port = self.installation.port
        self.origin = f"https://{HOST}"
        self.headers = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
        self.processes: dict[str, Process] = {}
        self._environments: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def start(self) -> None:
        """Make the tables and start every process; returns once all of them are at work."""
        redis.Redis.from_url(self.redis.url).flushall()
        self.mail.start()
        self._release()
        with psycopg.connect(self.installation.database_url) as connection:
            connection.execute(EFFECTS)
        self._start("web", {ARMED: str(self.failpoint)})
        self.start_workers({}, {})
        self.processes["web"].wait_for(self._builds["web"].answers)
        threading.Thread(target=self._supervise, name="supervisor", daemon=True).start()

    def stop(self) -> None:
        """End every process."""
        self._ended.set()
        with self._lock:
            for process in self.processes.values():
                _continue(process)
                process.terminate()
            for process in self.processes.values():
                with suppress(Exception):
                    process.end()
        self.mail.stop()

    def start_workers(self, *environments: dict[str, str]) -> None:
        """Put these workers in place of those that run, and wait until all their processes sweep."""
        with self._lock:
            for name in self.workers:
                self.processes.pop(name).end()
                del self._environments[name]
            for number, environment in enumerate(environments, start=1):
                self._start(f"worker-{number}", environment)
        for name in self.workers:
            self.processes[name].wait_for(partial(self._sweeps, name))

    def bring_tables_forward(self) -> None:
        """Make the tables of this checkout, beside whatever runs."""
        self._tables = self.installation
        self._release()

    def _release(self) -> None:
        self._tables.run(str(self._tables.root / "deploy" / "run"), "release")

    def replace_web(self, by: Installation | None = None, *, in_turn: float = 0.0) -> None:
        """Start another web process, lead everybody to it as a proxy would, and end the one before. For so many seconds
        in between, people meet both of them in turn."""
        build = by or self._builds["web"]
        with self._lock:
            before = self.processes["web"]
            build.port = free_port()
            build.environment["PORT"] = str(build.port)
            self._start("web", self._environments["web"], build)
        self.processes["web"].wait_for(build.answers)
        end, ports = time.monotonic() + in_turn, (self.port, build.port)
        while time.monotonic() < end:
            self.port = ports[self.port == ports[0]]
            time.sleep(TURN_SECONDS)
        self.port = build.port
        before.end()

    def replace_worker(self, name: str, by: Installation | None = None) -> None:
        """Start another worker in place of this one, and end the one before once the new one is at work."""
        with self._lock:
            before = self.processes[name]
            self._start(name, self._environments[name], by or self._builds[name])
        self.processes[name].wait_for(partial(self._sweeps, name))
        before.end()

    @property
    def workers(self) -> list[str]:
        """The names of the workers."""
        return sorted(name for name in self.processes if name.startswith("worker"))

    def children(self, *names: str) -> list[psutil.Process]:
        """The processes of these workers' pools."""
        found = []
        for name in names:
            with suppress(psutil.NoSuchProcess):
                found += psutil.Process(self.processes[name].popen.pid).children(recursive=True)
        return found

    def with_children(self, *names: str) -> list[psutil.Process]:
        """These processes and their children, to be ended at once; the supervisor starts them again."""
        return [*(psutil.Process(self.processes[name].popen.pid) for name in names), *self.children(*names)]

    @contextmanager
    def frozen(self, *names: str) -> Iterator[None]:
        """Stop these processes where they stand until the block ends."""
        stopped = self.with_children(*names)
        for process in stopped:
            process.suspend()
        try:
            yield
        finally:
            for process in stopped:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    def manage(self, *arguments: str) -> str:
        """Run a management command to its end; gives what it printed."""
        return self._tables.manage(*arguments, timeout=COMMAND_SECONDS)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the database; raises NotThere where it does not answer."""
        try:
            with psycopg.connect(self.installation.database_url, connect_timeout=2) as connection:
                return connection.execute(statement.encode()).fetchall()
        except psycopg.Error as error:
            raise NotThere from error

    @property
    def broker(self) -> redis.Redis:
        """A client of the broker."""
        return redis.Redis.from_url(self.redis.url, decode_responses=True)

    def wakeups(self) -> int:
        """How many messages wait in the queues for a worker to take them."""
        return sum(int(self.broker.llen(queue)) for queue in QUEUES)

    def output(self) -> str:
        """What the processes have logged."""
        return "\n".join(f"--- {name}\n{process.output[-4000:]}" for name, process in self.processes.items())

    def _start(self, name: str, environment: dict[str, str], build: Installation | None = None) -> None:
        self._environments[name], self._builds[name] = environment, build or self._tables
        self.processes[name] = Process(self._builds[name], name.split("-")[0], log=name, **environment)

    def _supervise(self) -> None:
        while not self._ended.wait(0.1):
            with self._lock:
                gone = [name for name, process in self.processes.items() if process.popen.poll() is not None]
            if gone and not self._ended.wait(RESTART_SECONDS):
                with self._lock:
                    for name in gone:
                        self._start(name, self._environments[name], self._builds[name])

    def _sweeps(self, name: str) -> bool:
        wanted = {f"{socket.gethostname()}:{child.pid}" for child in self.children(name)}
        names = [row[0] for row in self.rows("SELECT name FROM operations_workerprocess WHERE sweeps")]
        beating = {name.rpartition(":")[0] for name in names}
        return bool(wanted) and len(wanted & beating) >= int(self._concurrency(name))

    def _concurrency(self, name: str) -> str:
        return {**self.installation.environment, **self._environments[name]}["WORKER_CONCURRENCY"]


class Embedded:
    """The whole product in one process."""

    def __init__(self, folder: Path, backend: Backend, before: Build | None = None) -> None:
        """With `before` it begins as that build; a fault brings it forward, and back."""
        self.backend = backend
        self.mail = MailServer()
        self.newer = self._server(folder / "data")
        self.before: Server | None = None
        if before:
            self.before = self._server(self.newer.data_dir, self.newer.port, root=before.root, python=before.python)
        self.server = self.before or self.newer
        self.port, self.origin = self.server.port, self.server.url
        self.headers = {"Host": f"localhost:{self.port}"}

    def _server(
        self, folder: Path, port: int | None = None, root: Path = ROOT, python: Path = Path(sys.executable)
    ) -> Server:
        given = {"DJANGO_SETTINGS_MODULE": self.backend.settings, "EMAIL_URL": f"smtp://127.0.0.1:{self.mail.port}"}
        return Server(folder, port, root=root, python=python, **given, **WITHOUT_BUCKETS)

    def start(self) -> None:
        """Start it; returns once it serves."""
        self.mail.start()
        self.server.start()
        with closing(self._connect()) as connection:
            connection.execute(EFFECTS)

    def stop(self) -> None:
        """End it."""
        self.server.stop()
        self.mail.stop()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.server.kill()

    def start_as(self, build: Server) -> None:
        """Start what was killed by this build's code; returns once it serves."""
        self.server = build
        build.start()

    def manage(self, *arguments: str) -> str:
        """Run a management command to its end; gives what it printed."""
        done = self.server.manage(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the database; raises NotThere where it does not answer."""
        try:
            with closing(self._connect()) as connection:
                return connection.execute(statement).fetchall()
        except sqlite3.OperationalError as error:
            raise NotThere from error

    def wakeups(self) -> int:
        """The broker is inside the process."""
        return 0

    def output(self) -> str:
        """What the process has logged."""
        return self.server.output()[-8000:]

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.server.data_dir / "plumbline.sqlite3", timeout=20)


def wait_until(is_there: Callable[[], bool], seconds: float, *, pause: float = 0.1) -> bool:
    """Ask until it is so; False where that takes too long. A database that is away is asked again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(NotThere):
            if is_there():
                return True
        time.sleep(pause)
    return False


def _continue(process: Process) -> None:
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        process.popen.send_signal(signal.SIGCONT)


def uuid_list(values: Sequence[UUID]) -> str:
    """For an SQL list: each with and without dashes, as PostgreSQL and SQLite keep them as text."""
    return ", ".join(f"'{value}', '{value.hex}'" for value in values)
