"""Progress of long work, on standard error: a bar for people, now and then a line for a log.

It lies with the bus, because what operates the bus and what lies above it (backups) show theirs alike.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO, TypeVar

T = TypeVar("T")
WIDTH = 30
REDRAW = 0.1
"""Seconds between two pictures of a bar."""
LOG_EVERY = 10.0
"""Seconds between two lines of a step in a log, besides the one at its end."""


class Progress:
    """Shows how far each step of a work has come."""

    def __init__(self, stream: TextIO, *, quiet: bool = False) -> None:
        self._stream = stream
        self._quiet = quiet
        self._is_terminal = stream.isatty()
        self._pause = REDRAW if self._is_terminal else LOG_EVERY
        self._next = 0.0 if self._is_terminal else time.monotonic() + LOG_EVERY
        self._reached: tuple[str, int, int | None] | None = None

    @contextmanager
    def interruptible(self, advice: str) -> Iterator[None]:
        """Let Ctrl-C inside the block say how far the work has come, and this: what became of it and what to do."""
        try:
            yield
        except KeyboardInterrupt as stop:
            if not stop.args:
                stop.args = (f"{self._how_far()}{advice}",)
            raise

    def _how_far(self) -> str:
        if self._reached is None:
            return ""
        label, done, total = self._reached
        return f"It had come to {label}, {done:,}{'' if total is None else f' of {max(done, total):,}'}. "

    def over(self, items: Iterable[T], label: str, total: int) -> Iterator[T]:
        """Pass the items on and count them; one of a step without items is not shown."""
        done = 0
        for done, item in enumerate(items, start=1):
            yield item
            self.show(label, done, total)
        if done:
            self.finish(label, done)

    def show(self, label: str, done: int, total: int | None) -> None:
        """Say how much of a step is done, unless that was said just now; `total` None: nobody knows how much it is."""
        self._reached = (label, done, total)
        if self._quiet or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._pause
        if total is None:
            self._write(f"{label}  {done:,}")
        else:
            share = min(done / total, 1.0) if total else 1.0
            bar = ("#" * round(share * WIDTH)).ljust(WIDTH)
            self._write(f"[{bar}] {share:4.0%}  {label}  {done:,} of {max(done, total):,}")

    def finish(self, label: str, done: int) -> None:
        """Say that a step is done."""
        self._reached = (label, done, done)
        if not self._quiet:
            self._write(f"[{'#' * WIDTH}] 100%  {label}  {done:,}", ended=True)

    def _write(self, line: str, *, ended: bool = False) -> None:
        begin, end = ("\r", "\x1b[K") if self._is_terminal else ("", "\n")
        self._stream.write(f"{begin}{line}{end}" + ("\n" if ended and self._is_terminal else ""))
        self._stream.flush()
