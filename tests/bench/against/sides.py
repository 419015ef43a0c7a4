"""Both builds as they run: side by side on the same services, each with a database, people and addresses of its own."""

from __future__ import annotations

import http.client
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import urljoin

from tests.bench.against.builds import Build
from tests.bench.against.dialect import NotUnderstood, links_to_sections, read_page, socket_in
from tests.bench.against.turns import CannotMeasure, Name
from tests.bench.load import Account
from tests.embedded import Server
from tests.production import HOST, Installation
from tests.services import CannotHave, Service, running_postgres, running_redis

SEEDING = (Path(__file__).parent / "seeding.py").read_text()
PROCESSES = 2
"""Of the worker's pool, as the Procfile has it where nothing else is said."""
MOST_SCRIPTS = 20
PATIENCE = 300.0
"""Seconds in which a build starts, or has made its people: one that was only just checked out is compiled first."""


@dataclass
class Side:
    """A build that runs."""

    build: Build
    port: int
    host: str
    is_proxied: bool
    manage: Callable[..., str]
    """Runs one of its management commands; gives what it printed."""
    environment: dict[str, str]
    """Of its commands."""
    log: Callable[[], str]
    """The end of what its processes have said."""
    accounts: list[Account]
    autosave: str = ""
    """The address that saves, with {submission} where the submission's id is."""
    socket: str = ""

    def seed(self, people: int) -> None:
        """New people, by the build's own code; then what its pages say about how to speak to it."""
        self.environment["BENCH_PEOPLE"] = str(people)
        made = json.loads(self.manage("shell", "--no-imports", "-c", SEEDING).splitlines()[-1])
        if Path(made["root"]) != self.build.root.resolve():
            raise CannotMeasure(f"the {self.build.name} build ran the code in {made['root']}")
        self.accounts = [
            Account(self.host, each["session"], each["submission"], self.port, is_proxied=self.is_proxied)
            for each in made["people"]
        ]
        self._learn(self.accounts[0])

    def _learn(self, account: Account) -> None:
        page_at, autosave, scripts = self._page_of_questions(account)
        self.autosave = autosave.replace(account.submission, "{submission}")
        self.socket = self._socket_of([urljoin(page_at, script) for script in scripts], account)

    def _page_of_questions(self, account: Account) -> tuple[str, str, list[str]]:
        overview = f"/submissions/{account.submission}/"
        for address in (overview, *links_to_sections(self.get(overview, account), account.submission)):
            page = self.get(address, account)
            if "data-autosave=" in page:
                read = read_page(page)
                return address, read.autosave, read.scripts
        raise NotUnderstood("no page of the submission has questions")

    def _socket_of(self, scripts: list[str], account: Account) -> str:
        """From the page's scripts, and those that they import."""
        for at in range(MOST_SCRIPTS):
            if at >= len(scripts):
                break
            source = self.get(scripts[at], account)
            if found := socket_in(source):
                return found
            imported = [urljoin(scripts[at], each) for each in re.findall(r"""from\s*["']([./][^"']+)["']""", source)]
            scripts += [each for each in imported if each not in scripts]
        raise NotUnderstood("no script of the page of questions names the socket for reports")

    def get(self, address: str, account: Account) -> str:
        """A page or a file."""
        lines = account.head("GET", address).split("\r\n")[1:]
        headers = dict(line.split(": ", 1) for line in lines) | {"Accept": "*/*"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET", address, headers=headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        if answer.status != http.client.OK:
            raise NotUnderstood(f"{address} answered {answer.status}")
        return text


@dataclass
class Sides:
    """Both, and what the floor needs."""

    by_name: Mapping[Name, Side]
    folder: Path
    database_url: str = ""
    redis_url: str = ""


@contextmanager
def both(mode: str, builds: Mapping[Name, Build], people: int, settings: Mapping[str, str]) -> Iterator[Sides]:
    """Both builds run, with these settings, until the block ends. Raises CannotMeasure."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plumbline-against-")))
        try:
            start = _embedded if mode == "embedded" else _production
            sides = start(builds, folder, stack, settings)
            for side in sides.by_name.values():
                side.seed(people)
        except (CannotHave, AssertionError, NotUnderstood) as problem:
            raise CannotMeasure(str(problem)) from None
        yield sides


def _embedded(builds: Mapping[Name, Build], folder: Path, stack: ExitStack, settings: Mapping[str, str]) -> Sides:
    def start(build: Build) -> Side:
        only = {"HOST": "127.0.0.1", "LOG_LEVEL": "WARNING"}
        server = Server(folder / build.name, root=build.root, python=build.python)
        server.environment |= {**only, "BASE_URL": server.url, **settings}
        stack.callback(server.end)
        server.start(PATIENCE)

        def manage(*arguments: str) -> str:
            done = server.manage(*arguments, timeout=PATIENCE)
            assert done.returncode == 0, done.stderr
            return done.stdout

        host = f"localhost:{server.port}"
        return Side(build, server.port, host, False, manage, server.environment, lambda: server.output(), [])

    return Sides({name: start(build) for name, build in builds.items()}, folder)


def _production(builds: Mapping[Name, Build], folder: Path, stack: ExitStack, settings: Mapping[str, str]) -> Sides:
    postgres = stack.enter_context(running_postgres(durable=True))
    redis = stack.enter_context(running_redis())

    def start(build: Build, number: int) -> Side:
        own = folder / build.name
        own.mkdir()
        installation = Installation(postgres, _numbered(redis, number), own, root=build.root, python=build.python)
        installation.environment |= {"LOG_LEVEL": "WARNING", "LOG_FORMAT": "text", **settings}
        installation.environment |= {"HOST": "127.0.0.1", "WORKER_CONCURRENCY": str(PROCESSES)}
        installation.run(str(build.root / "deploy" / "run"), "release", timeout=PATIENCE)
        processes = [stack.enter_context(installation.web()), stack.enter_context(installation.worker())]

        def log() -> str:
            return "\n".join(each.output for each in processes)

        manage = partial(installation.manage, timeout=PATIENCE)
        return Side(build, installation.port, HOST, True, manage, installation.environment, log, [])

    sides = {name: start(build, number) for number, (name, build) in enumerate(builds.items(), start=1)}
    return Sides(sides, folder, postgres.url, redis.url)


def _numbered(redis: Service, number: int) -> Service:
    """Another of its databases. Hints keep to no number, but go to organisations that only one side has."""
    return replace(redis, url=f"{redis.url.removesuffix('/0')}/{number}")
