"""Clients that people use, as an application uses them: on the product itself, through a restart of its server.

They are set up by the files that docs/api.md tells to write.
"""

from __future__ import annotations

import json
import runpy
import subprocess
from asyncio import to_thread
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
from gql.transport.exceptions import TransportConnectionFailed

from tests.documentation import API, blocks
from tests.embedded import PASSWORD, Person, Server
from tests.javascript import Project
from tests.native import NativeClient

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that may be restarted."""
    server = Server(tmp_path_factory.mktemp("clients") / "data")
    server.start()
    yield server
    server.stop()


class Script:
    """A program that tells what happens to it, one line each."""

    def __init__(self, output: IO[str], orders: IO[str]) -> None:
        self._output, self._orders = output, orders
        self._told: defaultdict[str, deque[Any]] = defaultdict(deque)

    def tell(self, event: str) -> Any:
        """The detail of the next event of this name; AssertionError where the program ends without."""
        while not self._told[event]:
            line = self._output.readline()
            assert line, f"the program ended without {event}: {dict(self._told)}"
            name, detail = json.loads(line)
            self._told[name].append(detail)
        return self._told[event].popleft()

    def changes_until(self, state: str) -> list[dict[str, Any]]:
        """Each report that it is told of, up to the first in this state."""
        changes = [self.tell("change")]
        while changes[-1]["state"] != state:
            changes.append(self.tell("change"))
        return changes

    def connect_again(self) -> None:
        """The wait that it would take otherwise is over."""
        self._orders.write("\n")
        self._orders.flush()


@contextmanager
def running(project: Project, node: str, name: str, person: Person) -> Iterator[Script]:
    command = [node, str(project.folder / "dist" / f"{name}.js"), person.server.url, person.email, PASSWORD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield Script(process.stdout, process.stdin)
        finally:
            process.kill()


def ids(changes: list[dict[str, Any]]) -> set[str]:
    return {change["id"] for change in changes}


@pytest.mark.parametrize(
    ("client", "end", "code"),
    [("apollo", Server.stop, 1012), ("urql", Server.kill, 1006), ("graphql-ws", Server.stop, 1012)],
)
def test_an_application_sees_its_reports_and_misses_none_while_the_server_restarts(
    own_server: Server, project: Project, node: str, client: str, end: Callable[[Server], object], code: int
) -> None:
    person = own_server.person(f"{client}@example.org", client)
    with NativeClient(own_server.url, person.email, PASSWORD) as same_person:
        first, second, third = (same_person.report() for _number in range(3))

    with running(project, node, f"{client}-life", person) as script:
        assert script.tell("pages") == [[third, second], [first]]
        whole = script.tell("whole")
        assert (whole["id"], whole["state"], whole["rating"]) == (third, "FINAL", "E")
        assert whole["evaluation"]["comparison"]["previous"]["id"] == second
        assert script.tell("saved") == [["QC-01", 1]]
        assert script.tell("conflict") == [["QC-01", 1, "Fully"]]
        assert script.tell("early") == ["INCOMPLETE"]
        assert script.tell("submitted") == "SUBMITTED"
        changes = script.changes_until("FINAL")
        (fourth,) = ids(changes)
        if client == "apollo":
            assert changes[-1]["shown"] == [fourth, third, second, first]

        script.tell("connected")
        end(own_server)
        assert script.tell("closed") == code
        own_server.start()
        with NativeClient(own_server.url, person.email, PASSWORD) as same_person:
            missed = same_person.report()
            script.connect_again()
            script.tell("connected")
            assert ids(script.changes_until("FINAL")) == {missed}
            live = same_person.report()
            assert ids(script.changes_until("FINAL")) == {live}


async def final_report(stream: AsyncIterator[Any]) -> str:
    """The id of the next final report; nothing else may come before it but that report as it was."""
    changed = set()
    async for change in stream:
        changed.add(change["report"]["id"])
        if change["report"]["state"] == "FINAL":
            break
    (report,) = changed
    return str(report)


@pytest.fixture
def program(own_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the documentation's program for Python defines."""
    (text,) = blocks(API, "python")
    (tmp_path / "client.py").write_text(text)
    monkeypatch.setenv("PLUMBLINE", own_server.url)
    return runpy.run_path(str(tmp_path / "client.py"))


async def test_gql_sees_its_reports_and_misses_none_while_the_server_restarts(
    own_server: Server, program: dict[str, Any]
) -> None:
    person = await to_thread(own_server.person, "gql@example.org", "gql")
    with NativeClient(own_server.url, person.email, PASSWORD) as same_person:
        await to_thread(same_person.report)
        position = same_person.ask("{ reports { position } }")["reports"]["position"]
        async with aclosing(program["changes"](program["log_in"](person.email, PASSWORD), position)) as changes:
            assert await to_thread(same_person.report) == await final_report(changes)
            await to_thread(own_server.stop)
            await to_thread(own_server.start)
            with NativeClient(own_server.url, person.email, PASSWORD) as again:
                missed = await to_thread(again.report)
                assert await final_report(changes) == missed


async def test_gql_gives_up_where_it_has_to_log_in_again(
    program: dict[str, Any],
) -> None:
    with pytest.raises(TransportConnectionFailed):
        await anext(program["changes"]({"Authorization": "Bearer wrong"}, None))
