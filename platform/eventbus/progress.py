"""A progress bar in plain text."""

from __future__ import annotations

from django.core.management.base import OutputWrapper

WIDTH = 30


class ProgressBar:
    """Redraws one line on a terminal; elsewhere, as in a log, writes a line for each tenth."""

    def __init__(self, what: str, total: int, stream: OutputWrapper) -> None:
        self.what, self.total, self.stream = what, total, stream
        self._drawn = -1

    def show(self, done: int) -> None:
        """Draw how much is done. More than the total counts as all of it."""
        share = min(done / self.total, 1.0) if self.total else 1.0
        terminal = self.stream.isatty()
        step = int(share * (100 if terminal else 10))
        if step == self._drawn:
            return
        self._drawn = step
        filled = int(share * WIDTH)
        line = f"{self.what} [{'#' * filled}{'.' * (WIDTH - filled)}] {int(share * 100):3d} % ({done} of {self.total})"
        ended = not terminal or share == 1.0
        self.stream.write(f"\r{line}" if terminal else line, style_func=str, ending="\n" if ended else "")
        self.stream.flush()
