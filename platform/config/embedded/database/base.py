"""Django's backend for SQLite with two differences: writers take turns, and a transaction begins when it is used.

Both are about how long others wait. The connections of this process wait in a line (`line.py`): the first that asked
writes first, the moment the lock is free. And `atomic()` takes the lock only when there is something to do with it: an
evaluation that is computed before the first statement holds up nobody.

Writers of other processes are waited for as ever, by SQLite's own busy timeout.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from sqlite3 import OperationalError
from typing import Any

from django.db.backends.sqlite3 import base

from config.embedded.database.line import Turn, Writers, writers_of

_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP)\b", re.IGNORECASE)


class Cursor(base.SQLiteCursorWrapper):
    """Begins a transaction that is due, and takes a turn for a statement that writes without one."""

    database: DatabaseWrapper
    _turn: Turn | None = None
    """Of a statement that gives rows back: it is committed once they are read."""

    def execute(self, query: str, params: Any = None) -> Any:
        if not self.database.needs_turn(query):
            return super().execute(query, params)
        self._turn = self.database.take_turn()
        try:
            super().execute(query, params)
        finally:
            if self.description is None:
                self._end_turn()
        return self

    def executemany(self, query: str, param_list: Iterable[Any]) -> Any:
        if not self.database.needs_turn(query):
            return super().executemany(query, param_list)
        turn = self.database.take_turn()
        try:
            return super().executemany(query, param_list)
        finally:
            turn.end()

    def fetchall(self) -> list[Any]:
        try:
            return super().fetchall()
        finally:
            self._end_turn()

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        if self._turn is not None:
            self._turn.end()
            self._turn = None


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection. It holds a turn from the first statement of a transaction to its end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._writers = Writers()
        self._patience = 0.0
        self._turn: Turn | None = None
        self._begin_is_due = False

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self._writers, self._patience = writers_of(conn_params["database"]), float(conn_params.get("timeout", 5.0))
        return super().get_new_connection(conn_params)

    def create_cursor(self, name: str | None = None) -> Cursor:
        cursor: Cursor = self.connection.cursor(factory=Cursor)
        cursor.database = self
        return cursor

    def needs_turn(self, query: str) -> bool:
        """Begin the transaction if one is due. Whether the statement writes outside of any."""
        if self._begin_is_due:
            self._begin()
        return self.autocommit and _WRITES.match(query) is not None

    def take_turn(self) -> Turn:
        """Wait until it is this connection's turn to write.

        Raises the error of a busy timeout where it does not come in time, as SQLite does.
        """
        try:
            return self._writers.enter(self._patience)
        except TimeoutError:
            raise OperationalError("database is locked") from None

    def _start_transaction_under_autocommit(self) -> None:
        """Nothing yet: the first statement begins it."""
        self._begin_is_due = True

    def _begin(self) -> None:
        self._begin_is_due = False
        try:
            self._turn = self.take_turn()
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # private, so the stubs leave it out
        except BaseException:
            # Still due: nothing of this block may be executed without a transaction.
            self._begin_is_due = True
            self._end_turn()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]  # private, so the stubs leave it out
        self._end_transaction()

    def _rollback(self) -> None:
        super()._rollback()  # type: ignore[misc]  # private, so the stubs leave it out
        self._end_transaction()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]  # private, so the stubs leave it out
        finally:
            self._end_transaction()

    def _end_transaction(self) -> None:
        self._begin_is_due = False
        self._end_turn()

    def _end_turn(self) -> None:
        if self._turn is not None:
            self._turn.end()
            self._turn = None
