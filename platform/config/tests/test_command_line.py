"""What an operator reads when something around a command is wrong: what it is and what to do, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.thorough

PRODUCTION = {
    "DATABASE_URL": "postgresql://plumbline:pass-word@127.0.0.1:1/plumbline",
    "REDIS_URL": "redis://:pass-word@127.0.0.1:1/0",
    "SECRET_KEY": "vT2_f9-QmZ7xLwR4kB8sNc1HdYp6JgUaE3oXiK5tVbMqWzSrDlFh",
    "BASE_URL": "https://plumbline.example.org",
    "SIGNUP": "closed",
    "EMAIL_URL": "smtp://127.0.0.1:1",
    "TRUSTED_PROXIES": "1",
}


def ask(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program of this installation to its end."""
    programs = str(Path(sys.executable).parent)
    path = os.pathsep.join([programs, os.environ["PATH"]])
    given = {"PATH": path, "PYTHONPATH": f"{settings.ROOT}:{settings.ROOT / 'platform'}", **environment}
    return subprocess.run(command, cwd=settings.ROOT, env=given, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("command", ["bus status", "backup new.plumbline", "first_administrator", "migrate"])
def test_a_database_that_is_away_is_said_in_a_line(command: str, tmp_path: Path) -> None:
    done = ask("python", "manage.py", *command.split(), DATA_DIR=str(tmp_path), **PRODUCTION)

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("The database can't be used: connection failed:")
    assert line.endswith("manage.py doctor tells more.")
    assert "pass-word" not in done.stdout + done.stderr


def test_a_traceback_is_there_for_who_asks_for_it(tmp_path: Path) -> None:
    done = ask("python", "manage.py", "bus", "--traceback", "status", DATA_DIR=str(tmp_path), **PRODUCTION)

    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")


@pytest.mark.parametrize("exists", [True, False], ids=["folder", "no folder"])
def test_on_a_new_machine_a_restore_says_that_the_tables_come_first(exists: bool, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    if exists:
        folder.mkdir()
    ask("python", "manage.py", "migrate", DATA_DIR=str(tmp_path / "there"))
    backup = tmp_path / "monday.plumbline"
    ask("python", "manage.py", "backup", str(backup), DATA_DIR=str(tmp_path / "there"))

    done = ask("python", "manage.py", "restore", str(backup), DATA_DIR=str(folder))

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert ("Nothing was changed" if exists else "The database can't be used") in line
    assert "manage.py migrate" in line


@pytest.mark.parametrize("command", ["bus status", "first_administrator"])
def test_a_database_without_tables_is_said_to_have_none(command: str, tmp_path: Path) -> None:
    done = ask("python", "manage.py", *command.split(), DATA_DIR=str(tmp_path), SECRET_KEY=PRODUCTION["SECRET_KEY"])

    assert (done.returncode, done.stderr) == (
        1,
        "This database does not have the tables of this Plumbline. Make them first: manage.py migrate.\n",
    )


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing"),
        ({"LOG_LEVEL": "LOUD"}, '"LOG_LEVEL" invalid'),
        ({"WORKER_CONCURRENCY": "0"}, '"WORKER_CONCURRENCY" invalid'),
    ],
)
def test_a_worker_says_what_is_wrong_with_its_settings(change: dict[str, str], advice: str, tmp_path: Path) -> None:
    done = ask("deploy/run", "worker", DATA_DIR=str(tmp_path), **{**PRODUCTION, **change})

    assert done.returncode == 1
    assert done.stderr.startswith("Plumbline's configuration is wrong: ")
    assert advice in done.stderr
    assert "Traceback" not in done.stderr


def test_a_platform_that_collects_static_files_by_itself_hears_that_there_is_nothing_to_do(tmp_path: Path) -> None:
    done = ask("python", "manage.py", "collectstatic", "--no-input", DATA_DIR=str(tmp_path), **PRODUCTION)

    said = "Nothing has to be collected: web processes serve static files from where they lie.\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")


def test_without_services_static_files_can_be_collected(tmp_path: Path) -> None:
    done = ask("python", "manage.py", "collectstatic", "--no-input", DATA_DIR=str(tmp_path), SECRET_KEY="k" * 50)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "static" / "js" / "live.js").exists()


def test_a_terminal_of_few_letters_gets_question_marks_for_the_others(tmp_path: Path) -> None:
    ask("python", "manage.py", "migrate", DATA_DIR=str(tmp_path))

    done = ask("python", "manage.py", "bus", "status", DATA_DIR=str(tmp_path), PYTHONIOENCODING="ascii")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[3].split() == ["reports.store", "running", "0", "0", "0", "s", "?", "0"]
