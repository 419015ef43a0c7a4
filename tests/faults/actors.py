"""Threads that act until they are told to stop, and that say what went wrong in them."""

from __future__ import annotations

import threading


class Actor(threading.Thread):
    """Runs `act` in a daemon thread."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.stopping = threading.Event()
        """Set it, and the actor ends after the step at hand."""
        self.error: str | None = None
        """Why it ended before it was told to."""

    def run(self) -> None:
        try:
            self.act()
        except Exception as error:
            self.error = f"{self.name}: {type(error).__name__}: {error}"

    def act(self) -> None:
        """What it does, until `stopping` is set."""
        raise NotImplementedError

    def end(self) -> None:
        """Tell it to stop, and wait until it has."""
        self.stopping.set()
        if self.is_alive():
            self.join()
