"""The two builds: this checkout, and a revision in a worktree with an environment of its own."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

from tests.bench.against.turns import CannotMeasure, Name

ROOT = Path(__file__).resolve().parent.parent.parent.parent
KEPT = ROOT / "var" / "bench"
"""Environments of other revisions, and results."""


@dataclass(frozen=True)
class Build:
    """A checkout of the product, and the Python that runs it."""

    name: Name
    root: Path
    python: Path
    revision: str
    """Short; with "+" where the checkout has changes that are not committed."""


def this_build() -> Build:
    """The checkout that this file belongs to, as it is now."""
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return Build("new", ROOT, Path(sys.executable), _git("rev-parse", "--short", "HEAD") + ("+" if changed else ""))


@contextmanager
def build_of(revision: str, say: Callable[[str], None]) -> Iterator[Build]:
    """Check the revision out until the block ends. Raises CannotMeasure."""
    commit = _commit_of(revision)
    with tempfile.TemporaryDirectory(prefix="plumbline-old-") as folder:
        root = Path(folder) / "checkout"
        try:
            _git("worktree", "add", "--detach", "--quiet", str(root), commit)
            # What this checkout is set to goes for both.
            if (ROOT / ".env").exists():
                shutil.copy(ROOT / ".env", root / ".env")
            yield Build("old", root, _python_for(root, say), _git("rev-parse", "--short", commit))
        finally:
            # Twice: half a checkout is still locked. Where there is none yet git only says so.
            subprocess.run(_git_command("worktree", "remove", "--force", "--force", str(root)), capture_output=True)


def first_with(path: str) -> str:
    """The commit that brought this file. Raises CannotMeasure where git does not know it."""
    commits = _git("log", "--diff-filter=A", "--format=%H", "--", path).splitlines()
    if not commits:
        raise CannotMeasure(f"git knows no commit that added {path} (a shallow clone lacks the older ones)")
    return commits[-1]


def _commit_of(revision: str) -> str:
    if revision.startswith("-"):
        raise CannotMeasure(f"{revision!r} is no revision")
    try:
        return _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    except CannotMeasure:
        raise CannotMeasure(f"git knows no revision {revision!r} here (a shallow clone lacks the older ones)") from None


def _git_command(*arguments: str) -> list[str]:
    # A hook of this checkout has nothing to do with the other one.
    return ["git", "-C", str(ROOT), "-c", "core.hooksPath=/dev/null", *arguments]


def _git(*arguments: str) -> str:
    """What git says. Raises CannotMeasure with its words where it refuses."""
    # Where git itself started this, its variables name a repository that need not be this one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(_git_command(*arguments), env=environment, capture_output=True, text=True)
    except FileNotFoundError:
        raise CannotMeasure("git is missing") from None
    if done.returncode:
        raise CannotMeasure(f"git {arguments[0]}: {done.stderr.strip() or done.returncode}")
    return done.stdout.strip()


def _python_for(root: Path, say: Callable[[str], None]) -> Path:
    """The Python of an environment with exactly what that checkout pins: this one where it has the same."""
    file = root / "requirements.txt"
    if not file.exists():
        raise CannotMeasure("that revision has no requirements.txt")
    pins = file.read_text()
    return Path(sys.executable) if holds(pins) else _environment(file, pins, say)


def holds(pins: str) -> bool:
    """Whether the environment that runs this has just these versions."""
    # A pin goes on below with the hashes of its files, which say nothing about what is installed.
    for line in pins.replace("\\\n", " ").splitlines():
        text = line.split(" #")[0].split(" --hash=")[0].strip()
        if not text or text.startswith("#"):
            continue
        pin = Requirement(text)
        if (pin.marker is None or pin.marker.evaluate()) and not _has(pin):
            return False
    return True


def _has(pin: Requirement) -> bool:
    try:
        return pin.specifier.contains(version(pin.name), prereleases=True)
    except PackageNotFoundError:
        return False


def _environment(file: Path, pins: str, say: Callable[[str], None]) -> Path:
    """An environment of its own, made once for all revisions with the same pins."""
    key = hashlib.sha256(f"{sys.version}\n{sys.base_prefix}\n{pins}".encode()).hexdigest()[:16]
    folder = KEPT / "environments" / key
    folder.parent.mkdir(parents=True, exist_ok=True)
    python, done = folder / "bin" / "python", folder / "complete"
    with (folder.parent / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            say(f"installing what that revision needs into {folder.relative_to(ROOT)} ...")
            shutil.rmtree(folder, ignore_errors=True)
            _run_or_refuse([sys.executable, "-m", "venv", str(folder)])
            _run_or_refuse([str(python), "-m", "pip", "install", "--quiet", "-r", str(file)])
            done.touch()
    return python


def environment_of(build: Build) -> str:
    """In words."""
    return "the same environment" if build.python == Path(sys.executable) else "an environment of its own"


def _run_or_refuse(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise CannotMeasure(
            f"{' '.join(command)} ended with {done.returncode}:\n{(done.stderr or done.stdout).strip()}"
        )
