"""The production mode on services of its own: the Procfile's processes on a PostgreSQL that keeps what it commits."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from tests.bench.load import Account
from tests.production import HOST, Installation, Process
from tests.services import Service, free_port, running_postgres, running_redis
from tests.unlimited import FOR_CAPACITY

ROOT = Path(__file__).resolve().parent.parent.parent
SETTINGS = "tests.bench.settings"
FILES = 8192
"""Open files that a thousand sockets at both ends need, and more."""


COLLEAGUES = 50
"""People of one organisation who have its reports open."""


@dataclass
class Stack:
    """The services, and how to start processes on them."""

    postgres: Service
    redis: Service
    installation: Installation

    @contextmanager
    def running(self, *, web: int, worker: int) -> Iterator[Running]:
        """So many web processes, and a Celery worker with so many processes in its pool (0: no worker at all)."""
        with ExitStack() as stack:
            hosts = [_another(self.installation, f"web{number}") for number in range(web)]
            processes = {"web": [stack.enter_context(host.web()) for host in hosts], "worker": []}
            if worker:
                place = _another(self.installation, "worker", WORKER_CONCURRENCY=str(worker))
                processes["worker"].append(stack.enter_context(place.worker()))
            try:
                yield Running(self, [host.port for host in hosts], processes)
            except Exception:
                for each in (*processes["web"], *processes["worker"]):
                    sys.stderr.write(f"--- {each.log}\n{each.output[-5000:]}\n")
                raise

    @contextmanager
    def copied(self, count: int) -> Iterator[list[Stack]]:
        """The installation so many times more, each with a Redis of its own: hints know no database numbers.

        PostgreSQL copies a database to which nobody is connected: this process closes its connections before.
        """
        from django.db import connections

        connections.close_all()
        with ExitStack() as stack:
            yield [self._copy(f"copy{number}", stack.enter_context(running_redis())) for number in range(count)]

    def _copy(self, name: str, redis: Service) -> Stack:
        url = urlsplit(self.installation.database_url)
        database = f"{url.path[1:]}_{name}"
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{url.path[1:]}"'.encode())
        database_url = url._replace(path=f"/{database}").geturl()
        other = _another(self.installation, name, DATABASE_URL=database_url, REDIS_URL=redis.url)
        other.database_url = database_url
        return Stack(self.postgres, redis, other)

    @contextmanager
    def web(self, name: str, **environment: str) -> Iterator[tuple[int, int]]:
        """One more web process, with an environment of its own; gives its port and its process id."""
        host = _another(self.installation, name, **environment)
        with host.web() as process:
            yield host.port, process.popen.pid


@dataclass
class Running:
    """Processes that run."""

    stack: Stack
    ports: list[int]
    processes: dict[str, list[Process]]

    def roots(self) -> dict[str, list[int]]:
        """Process ids by what they are, for usage.Watch."""
        found = {name: [each.popen.pid for each in processes] for name, processes in self.processes.items()}
        return found | {"postgresql": [self.stack.postgres.process.pid], "redis": [self.stack.redis.process.pid]}


@contextmanager
def stack() -> Iterator[Stack]:
    """Services and a database with the product's tables, without limits: few people make all of the load. Raises
    CannotHave where a service can't be had."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))
    with (
        running_postgres(durable=True) as postgres,
        running_redis() as redis,
        tempfile.TemporaryDirectory(prefix="plumbline-bench-") as name,
    ):
        installation = Installation(postgres, redis, Path(name))
        installation.environment |= {"DJANGO_SETTINGS_MODULE": SETTINGS, "LOG_LEVEL": "WARNING", "LOG_FORMAT": "text"}
        installation.environment |= FOR_CAPACITY
        installation.environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
        installation.manage("migrate", "--no-input", "--verbosity", "0")
        installation.manage("load_questionnaires")
        _set_up_django(installation)
        yield Stack(postgres, redis, installation)


def _another(installation: Installation, name: str, **environment: str) -> Installation:
    """The same installation, for a process with a port and a log of its own."""
    other = copy(installation)
    other.folder = installation.folder / name
    other.folder.mkdir(exist_ok=True)
    other.port = free_port()
    other.environment = {**installation.environment, "PORT": str(other.port), **environment}
    return other


def _set_up_django(installation: Installation) -> None:
    """Use the installation's database in this process too, for making people, publishing and draining."""
    os.environ |= installation.environment
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    import django

    django.setup()


def make_account(email: str) -> tuple[Account, Any]:
    """A person with an organisation, a session and a started quick check; the person is given, too."""
    from accounts.models import User
    from answers import submissions

    person = User.objects.create_user(email)
    submission = submissions.start(person, "quick-check")
    return Account(HOST, sign_in(person), str(submission.pk)), person


def sign_in(person: Any) -> str:
    """The key of a new session of the person."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def make_browsers(account: Account, count: int) -> list[Account]:
    """So many browsers of the account's organisation, each with a session of its own, of COLLEAGUES people."""
    from accounts.models import Organisation, User

    organisation = Organisation.objects.get(submissions__pk=account.submission)
    people = [
        User.objects.create_user(f"colleague{n}@example.test", organisation=organisation) for n in range(COLLEAGUES)
    ]
    return [Account(HOST, sign_in(people[number % COLLEAGUES]), "") for number in range(count)]


def make_people(count: int) -> tuple[list[Account], Account]:
    """People of as many organisations, and somebody who belongs to all of these: on his socket all hints arrive."""
    made = [make_account(f"person{number}@example.test") for number in range(count)]
    listener, person = make_account("listener@example.test")
    for _account, each in made:
        person.join(each.organisation)
    return [account for account, _person in made], listener
