"""The folder with everything that an installation keeps: one process at a time owns it."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path
from typing import IO

from config.embedded.surroundings import Unfit


class FolderInUse(RuntimeError):
    """Another process runs on this data folder."""


def claim(folder: Path) -> IO[str]:
    """Lock the folder for this process until the given file is closed; raises FolderInUse, naming the process."""
    descriptor = os.open(folder / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    file = os.fdopen(descriptor, "r+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = file.read().strip()
        file.close()
        raise FolderInUse(owner) from None
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file


def secret_key(folder: Path) -> str:
    """The key that signs sessions: made at the first start, readable by its owner only, never overwritten.

    Raises Unfit for a file without a key in it.
    """
    path = folder / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_key(path)
    key = secrets.token_urlsafe(48)
    with os.fdopen(descriptor, "w") as file:
        file.write(key + "\n")
    return key


def _read_key(path: Path) -> str:
    key = path.read_text().strip()
    if not key:
        raise Unfit(f"{path} is empty. Put its backup back, or delete it: that signs everybody out")
    return key
