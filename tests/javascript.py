"""Node with the packages of tests/graphql, and the TypeScript client that the documentation builds."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.documentation import API, blocks, files

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "tests" / "graphql"


@pytest.fixture(scope="session")
def node() -> str:
    """Node, with the packages of tests/graphql; skips where it is missing, and fails under CI=true."""
    program = shutil.which("node")
    if program and (SCRIPTS / "node_modules" / ".installed").exists():
        return program
    reason = "Run `make node-packages`" if program else "Node is missing"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (CI=true)", pytrace=False)
    pytest.skip(reason)


class Project:
    """A developer's folder with the documentation's files in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "src").mkdir(parents=True)
        (folder / "package.json").write_text('{"type": "module"}\n')
        (folder / "node_modules").symlink_to(SCRIPTS / "node_modules")
        shutil.copy(ROOT / "schema.graphql", folder)
        for name, text in files(API).items():
            (folder / name).write_text(text)
        self.commands = next(block for block in blocks(API, "sh") if "graphql-codegen" in block).splitlines()

    def generate(self) -> subprocess.CompletedProcess[str]:
        """Generate the types, by the documentation's command."""
        return self._run(self.commands[0])

    def compile(self) -> subprocess.CompletedProcess[str]:
        """Compile everything in src, by the documentation's command."""
        return self._run(self.commands[1])

    def _run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], cwd=self.folder, capture_output=True, text=True, timeout=120
        )


@pytest.fixture(scope="session")
def project(node: str, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The documentation's files with the programs of tests/graphql/client beside them, compiled."""
    project = Project(tmp_path_factory.mktemp("client") / "project")
    for path in (SCRIPTS / "client").glob("*.ts"):
        shutil.copy(path, project.folder / "src")
    for done in (project.generate(), project.compile()):
        assert done.returncode == 0, done.stdout + done.stderr
    return project
