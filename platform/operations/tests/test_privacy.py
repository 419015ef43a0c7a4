"""Which users of the machine may read what an installation keeps."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from django.db import connections
from django.db.backends.sqlite3.base import DatabaseWrapper
from pytest_django import Settings

from operations import privacy


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def database(tmp_path: Path) -> DatabaseWrapper:
    """A database of its own, as a command opens it."""
    return DatabaseWrapper({**connections["default"].settings_dict, "NAME": tmp_path / "own.sqlite3"}, "own")


@pytest.mark.django_db
def test_opening_an_sqlite_file_takes_the_rights_of_others(database: DatabaseWrapper, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        (tmp_path / "own.sqlite3").touch()
        assert _mode(tmp_path / "own.sqlite3") == 0o644

        with database.cursor() as cursor:
            cursor.execute("CREATE TABLE answers (value TEXT)")
            modes = {path.name: _mode(path) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
        database.close()

    assert modes == dict.fromkeys(("own.sqlite3", "own.sqlite3-shm", "own.sqlite3-wal"), 0o600)


def test_what_is_kept_is_tightened_and_named(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR, settings.EMAIL_FILE_PATH = tmp_path, str(tmp_path / "mail")
    (tmp_path / "mail").mkdir(mode=0o755)
    (tmp_path / "static").mkdir(mode=0o755)
    for name, mode in (("secret_key", 0o640), ("nightly.plumbline", 0o604), ("notes.txt", 0o644)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)

    tightened = privacy.tighten(privacy.kept())

    assert [path.name for path in tightened] == ["secret_key", "nightly.plumbline", "mail"]
    assert [_mode(tmp_path / name) for name in ("secret_key", "nightly.plumbline", "mail")] == [0o600, 0o600, 0o700]
    assert [_mode(tmp_path / name) for name in ("static", "notes.txt")] == [0o755, 0o644]
    assert privacy.tighten(privacy.kept()) == []
