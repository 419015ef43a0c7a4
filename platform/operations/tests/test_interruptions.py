"""Ctrl-C in the middle of a backup, a verification or a restore: how far it came, what to do, and nothing half done."""

from __future__ import annotations

import fcntl
import io
import os
import signal
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.models import Organisation, User
from operations.archive.file import left_behind

pytestmark = pytest.mark.django_db(transaction=True)


class Impatient(io.StringIO):
    """A terminal at which somebody presses Ctrl-C when they read a word."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self._word = word

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        written = super().write(text)
        if self._word in text:
            os.kill(os.getpid(), signal.SIGINT)
        return written


def interrupted(monkeypatch: pytest.MonkeyPatch, word: str, *command: object) -> str:
    """Run a command whose reader presses Ctrl-C at the word; gives what `manage.py` says then."""
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", Impatient(word))
        with pytest.raises(KeyboardInterrupt) as stopped:
            call_command(*map(str, command), stdout=io.StringIO())
    return " ".join(stopped.value.args)


@pytest.fixture
def archive(tmp_path: Path, alice: User) -> Path:
    """A backup that holds somebody."""
    path = tmp_path / "monday.plumbline"
    call_command("backup", str(path), stdout=io.StringIO())
    return path


def test_a_backup_leaves_nothing(tmp_path: Path, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    said = interrupted(monkeypatch, "accounts_user", "backup", tmp_path / "monday.plumbline")

    assert said == "It had come to accounts_user, 1 of 1. No file was made. Start it again."
    assert list(tmp_path.iterdir()) == []


def test_a_verification_says_that_the_rest_was_not_checked(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = interrupted(monkeypatch, "accounts_user", "verify", archive)

    assert said == "It had come to accounts_user, 1 of 1. The rest was not checked. Start it again."


def test_a_restore_changes_nothing(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Organisation.objects.create(name="Later")

    said = interrupted(monkeypatch, "accounts_user", "restore", archive, "--replace", "--yes")

    assert said == "It had come to accounts_user, 1 of 1. Nothing was changed. Start it again."
    assert Organisation.objects.filter(name="Later").exists()


def test_ctrl_c_after_the_commit_of_a_restore_comes_too_late(archive: Path) -> None:
    Organisation.objects.create(name="Later")
    before = signal.getsignal(signal.SIGINT)
    shown = Impatient("Restored")

    try:
        call_command("restore", str(archive), "--replace", "--yes", stdout=shown, verbosity=0)
    except KeyboardInterrupt:
        pytest.fail("it was interrupted though it had ended")

    assert shown.getvalue().endswith("Sign in again.\n")
    assert not Organisation.objects.filter(name="Later").exists()
    assert signal.getsignal(signal.SIGINT) == before


def test_what_a_killed_backup_left_is_named_by_the_next_one(tmp_path: Path) -> None:
    left, empty = tmp_path / "sunday.plumbline.part-77", tmp_path / "saturday.plumbline.part-78"
    left.write_bytes(b"PK\x03\x04 and half a table")
    empty.touch()
    (tmp_path / "film.part-1").write_bytes(b"somebody else's")
    said = io.StringIO()

    with (tmp_path / "tuesday.plumbline.part-79").open("wb") as at_work:
        fcntl.flock(at_work, fcntl.LOCK_EX)
        call_command("backup", str(tmp_path / "monday.plumbline"), stdout=io.StringIO(), stderr=said, verbosity=0)

    assert said.getvalue().splitlines() == [
        f"{empty} was left by a backup that was killed. Delete it.",
        f"{left} was left by a backup that was killed. Delete it.",
    ]
    assert left.exists()


def test_a_backup_at_work_is_not_taken_for_one_that_was_killed(
    tmp_path: Path, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its part is locked as long as somebody writes it."""
    seen: list[list[Path]] = []

    class Watching(io.StringIO):
        def write(self, text: str) -> int:
            assert list(tmp_path.glob("monday.plumbline.part-*"))
            seen.append(left_behind(tmp_path))
            return super().write(text)

    monkeypatch.setattr(sys, "stderr", Watching())
    call_command("backup", str(tmp_path / "monday.plumbline"), stdout=io.StringIO())

    assert seen
    assert not any(seen)
