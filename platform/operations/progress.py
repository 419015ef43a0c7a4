"""Progress of long work, on standard error: a bar for people, a line per step for a log."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TextIO, TypeVar

T = TypeVar("T")
WIDTH = 30
REDRAW = 0.1
"""Seconds between two pictures of a bar."""


class Progress:
    """Shows how far each step of a work has come."""

    def __init__(self, stream: TextIO, *, quiet: bool = False) -> None:
        self._stream = stream
        self._quiet = quiet
        self._is_terminal = stream.isatty()
        self._next = 0.0

    def over(self, items: Iterable[T], label: str, total: int) -> Iterator[T]:
        """Pass the items on and count them; one of a step without items is not shown."""
        done = 0
        for done, item in enumerate(items, start=1):
            yield item
            if self._is_terminal and time.monotonic() >= self._next:
                self._draw(label, done, total)
        if done:
            self._finish(label, done)

    def _draw(self, label: str, done: int, total: int) -> None:
        if self._quiet:
            return
        self._next = time.monotonic() + REDRAW
        share = min(done / total, 1.0) if total else 1.0
        bar = ("#" * round(share * WIDTH)).ljust(WIDTH)
        self._stream.write(f"\r[{bar}] {share:4.0%}  {label}  {done:,} of {max(done, total):,}\x1b[K")
        self._stream.flush()

    def _finish(self, label: str, done: int) -> None:
        if self._quiet:
            return
        begin, end = ("\r", "\x1b[K\n") if self._is_terminal else ("", "\n")
        self._stream.write(f"{begin}[{'#' * WIDTH}] 100%  {label}  {done:,}{end}")
        self._stream.flush()
