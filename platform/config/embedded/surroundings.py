"""What has to be there before Plumbline can start, each with what to do where it is not."""

from __future__ import annotations

import errno
import os
import socket
import sqlite3
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 35)
"""The first version with RETURNING, by which a worker claims deliveries in one statement."""


class Unfit(RuntimeError):
    """Plumbline can't start here; the message says what to do."""


def check_versions() -> None:
    """Raise Unfit for a Python or SQLite that is too old."""
    if sys.version_info[:2] < OLDEST_PYTHON:
        raise Unfit(
            f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12 run"
        )
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        raise Unfit(
            f"SQLite {needed} or newer is needed; this Python has {sqlite3.sqlite_version}. "
            "A newer Python brings its own: make PYTHON=python3.12 run"
        )


def prepare_folder(folder: Path) -> None:
    """Make the data folder, for its owner only; raises Unfit where nothing can be written there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "static").mkdir(exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise Unfit(
            f"the data folder {folder} can't be written ({error.strerror}). "
            "Make it writable, or name another: DATA_DIR=~/plumbline make run"
        ) from None


def listen(host: str, port: int) -> socket.socket:
    """Open the port; raises Unfit where it is taken or not allowed."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror:
        raise Unfit(f"HOST={host} is no address of this machine. Leave it out, or use HOST=0.0.0.0 for all") from None
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(socket.SOMAXCONN)
    except OSError as error:
        listener.close()
        raise Unfit(_explain(error, host, port)) from None
    return listener


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else 8000
        return f"port {port} is used by another program. Stop it, or take another port: PORT={other} make run"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"port {port} needs special rights. Take one above 1023: PORT=8000 make run"
    return f"{host}:{port} can't be opened ({error.strerror}). Check HOST and PORT"
