"""Every block of docs/api.md does what it says, as it stands there, on the product itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documentation import API, API_SCHEMA, blocks, languages
from tests.embedded import PASSWORD, Server
from tests.javascript import SCRIPTS, Project
from tests.native import NativeClient

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def documented(server: Server) -> Server:
    """A server with the person in it as whom the documentation logs in."""
    person = server.person("alice@example.org", "Documented", name="Alice")
    assert PASSWORD in API.read_text("utf-8")
    with NativeClient(server.url, person.email, PASSWORD) as alice:
        alice.report()
    return server


def run(*command: str, server: Server, folder: Path) -> str:
    """What a program prints that knows nothing but the server's address."""
    environment = {"PATH": os.environ["PATH"], "PLUMBLINE": server.url}
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_is_no_block_that_no_test_executes() -> None:
    assert languages(API) == ["python", "sh", "ts"]
    # By platform/config/tests/test_api_schema.py and test_schema_subscriptions.py, and questionnaires/tests.
    assert languages(API_SCHEMA) == ["graphql", "json", "python"]
    assert [len(blocks(API, "sh")), len(blocks(API, "python"))] == [4, 1]


def test_the_blocks_for_curl(documented: Server, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is missing")
    script = "\n".join(block for block in blocks(API, "sh") if "curl" in block)

    printed = run("bash", "-euo", "pipefail", "-c", script, server=documented, folder=tmp_path)

    assert printed.startswith('{"data":{"me":{"name":"Alice","email":"alice@example.org"}}}')
    assert '{"node":{"title":"Security quick check","rating":"E","ratingShown":true}}' in printed
    assert '"is_authenticated": false' in printed


def test_the_block_for_python(documented: Server, tmp_path: Path) -> None:
    (program,) = blocks(API, "python")
    (tmp_path / "client.py").write_text(program)

    printed = run(sys.executable, "-W", "error", "client.py", server=documented, folder=tmp_path).splitlines()

    assert printed[0] == "Security quick check E"
    assert re.fullmatch(r"The report has arrived: \{'id': '\w+=*', 'state': 'FINAL', 'rating': 'E'\}", printed[-1])


def test_the_blocks_for_typescript(node: str, documented: Server, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    (build,) = (block for block in blocks(API, "sh") if "curl" not in block)

    printed = run("bash", "-euo", "pipefail", "-c", build, server=documented, folder=project.folder)

    assert "Security quick check E" in printed
    assert re.fullmatch(r"The report has arrived: \w+=*", printed.splitlines()[-1])


def test_the_packages_that_are_to_be_installed_are_those_that_the_tests_have() -> None:
    named = {name for line in re.findall(r"`npm install ([^`]+)`", API.read_text("utf-8")) for name in line.split()}
    tested = (SCRIPTS / "package.json").read_text("utf-8")

    assert len(named) > 10
    assert [name for name in named - {"--save-dev"} if f'"{name}": ' not in tested] == []
