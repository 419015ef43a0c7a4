"""The line in which the threads of this process wait to write to one database file."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress


class Line:
    """Gives turns in the order in which threads ask for them: the head of the line is the one that writes.

    SQLite itself has no line. Its waiting threads try again after pauses that grow to a tenth of a second, and the one
    that tries at the right moment gets the lock: some threads wait for half a second while others pass them.

    No lock guards the line. Each change of it is a single step that no other thread can come between, and to call the
    head once too often does no harm. So a turn may end at any moment, even when the garbage collector finds it.
    """

    def __init__(self) -> None:
        self._tickets: deque[threading.Lock] = deque()

    def enter(self, timeout: float) -> Turn:
        """Wait for a turn; raises TimeoutError where it does not come within so many seconds."""
        turn = Turn(self)
        self._tickets.append(turn.ticket)
        try:
            if self._tickets[0] is turn.ticket or turn.ticket.acquire(timeout=timeout):
                return turn
            raise TimeoutError
        except BaseException:
            turn.end()
            raise

    def leave(self, ticket: threading.Lock) -> None:
        """Go, from wherever in the line, and call the one that is the head then."""
        with suppress(ValueError):  # it has gone before
            self._tickets.remove(ticket)
        with suppress(IndexError, RuntimeError):  # nobody waits, or it was called before
            self._tickets[0].release()

    def __len__(self) -> int:
        return len(self._tickets)


class Turn:
    """A place in a line. It ends by itself where its owner is gone, as with a thread that died."""

    before: Turn | None = None
    """The place in another line that it needed first, and that ends with it."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.ticket = threading.Lock()
        self.ticket.acquire()

    def end(self) -> None:
        """Leave the line; more than once does no harm."""
        self._line.leave(self.ticket)
        if self.before is not None:
            self.before.end()

    __del__ = end


class Writers:
    """All threads that write to one file. Those that deliver share one place in the line: they have a line of their
    own, and only its head waits among the people who save. So a backlog of deliveries costs a save one more turn, not
    one for each thread of the worker."""

    def __init__(self) -> None:
        self.line = Line()
        self.background = Line()

    def enter(self, timeout: float) -> Turn:
        """Wait for a turn; raises TimeoutError where one of both lines takes longer than so many seconds."""
        if not getattr(_thread, "is_background", False):
            return self.line.enter(timeout)
        before = self.background.enter(timeout)
        try:
            turn = self.line.enter(timeout)
        except BaseException:
            before.end()
            raise
        turn.before = before
        return turn


_thread = threading.local()
_writers: dict[str, Writers] = {}


def stay_in_the_background() -> None:
    """Let the calling thread share its place with the others that called this."""
    _thread.is_background = True


def writers_of(file: object) -> Writers:
    """The same for every connection of this process to that file."""
    return _writers.setdefault(str(file), Writers())
