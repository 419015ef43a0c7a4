"""Ctrl-C and SIGTERM: the program ends in order, and what it has started and made goes."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TypeVar

import psutil

STOPS = (signal.SIGINT, signal.SIGTERM)
Done = TypeVar("Done")


class Stopped(Exception):
    """Somebody stopped what was running, by the signal `number`."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)


@contextmanager
def nothing_stays() -> Iterator[None]:
    """All that is made for a while is made in one folder, which goes; and so does every process, whatever was being
    started when somebody stopped this one."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    folder = Path(tempfile.mkdtemp(prefix="plumbline-against-"))
    try:
        folder.chmod(0o711)  # as root PostgreSQL runs as somebody else, in a folder below
        tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
        _watch()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        yield
    finally:
        _end(psutil.Process().children(recursive=True))
        shutil.rmtree(folder, ignore_errors=True)


def _watch() -> None:
    for number in STOPS:
        signal.signal(number, _leave)


def _leave(number: int, _frame: FrameType | None) -> None:
    leave(number)


def leave(number: int) -> NoReturn:
    """End the program in order, and let nothing interrupt that."""
    for each in STOPS:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _end(processes: list[psutil.Process]) -> None:
    """In order, or else at once."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in psutil.wait_procs(processes, timeout=20)[1]:
        with suppress(psutil.NoSuchProcess):
            process.kill()


async def until_stopped(work: Coroutine[Any, Any, Done]) -> Done:
    """Do the work; a signal cancels it. Raises Stopped.

    An exception out of a signal's handler would be lost: the loop reports what its callbacks raise, and goes on.
    """
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    task, by = asyncio.create_task(work), 0

    def stop(number: int) -> None:
        nonlocal by
        by = by or number
        stopped.set()

    for number in STOPS:
        loop.add_signal_handler(number, stop, number)
    waiting = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not by:
            return await task
        # A group of tasks of which one fails at the same moment forgets that it was cancelled.
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=1)
        raise Stopped(by)
    finally:
        waiting.cancel()
        for number in STOPS:
            loop.remove_signal_handler(number)
        _watch()
