"""A database's refusal in words, and what of it may be logged."""

from __future__ import annotations

import psycopg
import pytest
from django.db import Error as DatabaseProblem
from django.db import IntegrityError, InternalError, OperationalError, ProgrammingError

from eventbus.database_errors import in_words, reason

LOST = OperationalError("connection failed: no password supplied\nIs it running?")


def caused(error: DatabaseProblem, cause: psycopg.Error) -> DatabaseProblem:
    """As Django wraps what the driver raises."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (LOST, "The database can't be used: connection failed: no password supplied. Start it"),
        (OperationalError("no such table: eventbus_event"), "Make them first: manage.py migrate."),
        (caused(ProgrammingError("relation"), psycopg.errors.UndefinedTable()), "Make them first: manage.py migrate."),
        (caused(ProgrammingError("schema"), psycopg.errors.InsufficientPrivilege()), "refuses its user (schema)"),
        (caused(ProgrammingError("exists"), psycopg.errors.DuplicatePreparedStatement()), "?prepare_threshold=none to"),
        (caused(OperationalError("gone"), psycopg.errors.InvalidSqlStatementName()), "?prepare_threshold=none to"),
        (caused(InternalError("read-only"), psycopg.errors.ReadOnlySqlTransaction()), "can't be used: read-only."),
    ],
)
def test_what_an_operator_can_mend_is_said_with_what_to_do(error: DatabaseProblem, words: str) -> None:
    assert words in in_words(error)


def test_a_mistake_of_the_program_is_not_dressed_up() -> None:
    assert in_words(caused(ProgrammingError("syntax"), psycopg.errors.SyntaxError())) == ""
    assert in_words(IntegrityError("duplicate key")) == ""


def test_the_log_has_what_is_said_of_a_connection_and_of_no_row() -> None:
    assert reason(LOST) == "OperationalError, connection failed: no password supplied"
    deadlock = caused(OperationalError("deadlock over somebody's answer"), psycopg.errors.DeadlockDetected())
    assert reason(deadlock) == "OperationalError"
    assert reason(IntegrityError("duplicate key: somebody's answer")) == "IntegrityError"
    pooled = caused(ProgrammingError("_pg3_0 already exists"), psycopg.errors.DuplicatePreparedStatement())
    assert reason(pooled).endswith(": a pooler needs ?prepare_threshold=none in DATABASE_URL")
