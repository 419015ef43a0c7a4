"""What an installation keeps in its data folder is for the user alone that runs it.

SQLite makes its file with the rights that the user's umask leaves, and its companions with those of the file. So the
rights are set where a connection is opened, which every command does that touches the database, and at each start.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

OTHERS = 0o077
"""The rights of everybody but the owner."""
COMPANIONS = ("", "-wal", "-shm", "-journal")
"""What SQLite adds to the name of a database for the files beside it."""


def connect() -> None:
    """Let each new connection to SQLite see to its files."""
    connection_created.connect(_after_opening, dispatch_uid="operations.privacy")


def _after_opening(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    if connection.vendor == "sqlite":
        tighten(_of_database(connection))


def make_database() -> None:
    """Make an empty file for SQLite, if there is none, so that nobody else can open it even in its first moment."""
    connection = connections["default"]
    if connection.vendor == "sqlite":
        with suppress(FileExistsError):
            os.close(os.open(_path_of(connection), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _of_database(connection: BaseDatabaseWrapper) -> Iterator[Path]:
    path = _path_of(connection)
    return (path.with_name(path.name + companion) for companion in COMPANIONS)


def _path_of(connection: BaseDatabaseWrapper) -> Path:
    return Path(str(connection.settings_dict["NAME"]))


def kept() -> Iterator[Path]:
    """Every file and folder of this installation that holds answers, codes or keys, as far as it is in its place."""
    folder = Path(settings.DATA_DIR)
    connection = connections["default"]
    if connection.vendor == "sqlite":
        yield from _of_database(connection)
    yield folder / "secret_key"
    yield from sorted(folder.glob("*.plumbline"))
    yield Path(settings.EMAIL_FILE_PATH)


def is_open_to_others(path: Path) -> bool:
    """Whether somebody else on this machine may read or change it; False for one that is not there."""
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & OTHERS)
    except OSError:
        return False


def tighten(paths: Iterator[Path]) -> list[Path]:
    """Take everybody else's rights away; gives the paths that had some. One that belongs to another user stays as it
    is: `manage.py doctor` tells."""
    tightened = []
    for path in paths:
        if is_open_to_others(path):
            with suppress(OSError):
                path.chmod(stat.S_IMODE(path.stat().st_mode) & ~OTHERS)
                tightened.append(path)
    return tightened
