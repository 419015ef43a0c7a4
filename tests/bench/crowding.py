"""How soon 200 open tabs hear of what their organisation saves: all tabs of one organisation, beside those of ten."""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from tests.bench.figures import emit, milliseconds
from tests.bench.load import Account, Connection, Hints, Person, Socket
from tests.embedded import Server
from tests.production import HOST, Installation
from tests.services import running_postgres, running_redis

SAVERS = 20
TABS_EACH = 10
PER_SECOND = 20.0
SETTLE_SECONDS = 5.0
"""After the last save: what has not come by then is lost, or so late that it is no hint."""
MOST_RATIO = 3.0
"""Aim: what the p95 in one organisation may be of that in ten."""
SEED = f"""
import json, sys
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from accounts.models import Organisation, User
from answers.submissions import start

made = {{}}
for count in (1, 10):
    made[count] = []
    homes = [Organisation.objects.create(name=f"{{count}}-{{n}}") for n in range(count)]
    for number in range({SAVERS}):
        home = homes[number % count]
        person = User.objects.create_user(f"p{{count}}-{{number}}@example.test", organisation=home)
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY] = str(person.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = person.get_session_auth_hash()
        session.create()
        made[count].append([session.session_key, str(start(person, "quick-check").pk), str(home.pk)])
sys.stdout.write(json.dumps(made) + "\\n")
"""


@dataclass
class Site:
    """An installation that runs, and its people by the number of their organisations."""

    host: str
    port: int
    is_proxied: bool
    people: dict[int, list[tuple[Account, str]]]


@dataclass
class Tab:
    """What one open tab has heard: for each submission its revisions, and when."""

    organisation: str
    heard: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    def receive(self, frame: bytes) -> None:
        """Read a frame; further submissions are named in `others`."""
        message, now = json.loads(frame), time.perf_counter()
        for hint in (message, *message.get("others", ())):
            if "revision" in hint:
                self.heard.setdefault(hint["submission"], []).append((hint["revision"], now))

    def waited(self, submission: str, revision: int, answered: float) -> float:
        """Seconds from the answer to a save until this tab knew of it, or of a newer one of the same draft."""
        came = [at for number, at in self.heard.get(submission, ()) if number >= revision]
        return max(0.0, min(came) - answered) if came else float("inf")


def bench_crowd(mode: str, *, quick: bool) -> None:
    """Milliseconds from the answer to a save to its hint on each tab of the organisation, tabs of one organisation and
    of ten in turns."""
    runs, seconds = (1, 4.0) if quick else (3, 10.0)
    took: dict[int, list[list[float]]] = {1: [], 10: []}
    with _running(mode) as site, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for seed in range(runs):
            for count in (10, 1) if seed % 2 else (1, 10):
                took[count].append(runner.run(_hints(site, count, seconds, seed)))
    one, ten = milliseconds(took[1]), milliseconds(took[10])
    lost = sum(each == float("inf") for samples in (*took[1], *took[10]) for each in samples)
    pairs = zip(took[1], took[10], strict=True)
    ratio = statistics.median(milliseconds([a])["p95"] / milliseconds([b])["p95"] for a, b in pairs)
    emit("hints_ms", one, ten, mode=mode, ratio_p95=round(ratio, 2), aim=MOST_RATIO, lost=lost, tabs=SAVERS * TABS_EACH)


async def _hints(site: Site, count: int, seconds: float, seed: int) -> list[float]:
    people = site.people[count]
    tabs = [Tab(organisation) for _account, organisation in people for _ in range(TABS_EACH)]
    accounts = [account for account, _organisation in people for _ in range(TABS_EACH)]
    sockets = [await Socket.open(account, tab.receive) for account, tab in zip(accounts, tabs, strict=True)]
    savers = [Person(account, Connection(site.port), Hints()) for account, _organisation in people]
    dice, saves = random.Random(seed), list[tuple[str, str, int, float]]()  # noqa: S311  (the same load in each run)

    idle: asyncio.Queue[tuple[Person, str]] = asyncio.Queue()

    async def save() -> None:
        person, organisation = await idle.get()
        answered = await person.save()
        saves.append((organisation, person.account.submission, person.account.revision, answered))
        idle.put_nowait((person, organisation))

    for person, (_account, organisation) in zip(savers, people, strict=True):
        idle.put_nowait((person, organisation))
        await save()
    await asyncio.sleep(1)
    saves.clear()
    at = time.perf_counter()
    end = at + seconds
    async with asyncio.TaskGroup() as tasks:
        while (at := at + dice.expovariate(PER_SECOND)) < end:
            await asyncio.sleep(at - time.perf_counter())
            tasks.create_task(save())
    await asyncio.sleep(SETTLE_SECONDS)
    for socket in sockets:
        socket.close()
    for person in savers:
        person.connection.close()
    return [
        tab.waited(submission, revision, answered)
        for organisation, submission, revision, answered in saves
        for tab in tabs
        if tab.organisation == organisation
    ]


@contextmanager
def _running(mode: str) -> Iterator[Site]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plumbline-crowd-")))
        if mode == "embedded":
            server = Server(folder / "data")
            server.start()
            stack.callback(server.end)
            made = server.manage("shell", "--no-imports", "-c", SEED).stdout
            host, port, is_proxied = f"localhost:{server.port}", server.port, False
        else:
            installation = Installation(
                stack.enter_context(running_postgres(durable=True)), stack.enter_context(running_redis()), folder
            )
            installation.environment |= {"WORKER_CONCURRENCY": "2", "LOG_LEVEL": "WARNING"}
            installation.run("deploy/run", "release")
            stack.enter_context(installation.web())
            stack.enter_context(installation.worker())
            made = installation.manage("shell", "--no-imports", "-c", SEED)
            host, port, is_proxied = HOST, installation.port, True
        found = json.loads(made.splitlines()[-1])
        people = {
            int(count): [
                (Account(host, session, submission, port, is_proxied=is_proxied), organisation)
                for session, submission, organisation in each
            ]
            for count, each in found.items()
        }
        yield Site(host, port, is_proxied, people)
