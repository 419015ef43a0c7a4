"""Which errors say that something around Plumbline is away or full for a while. The request was right: the same one
gets through once that is mended, so the answer to it is 503 and not 500.

It lies with the bus, as what databases say does: pages, the API and the log all ask it.
"""

from __future__ import annotations

import errno
import smtplib
import sqlite3

from django.db import Error as DatabaseProblem
from django.db import InterfaceError, InternalError, OperationalError
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from eventbus.database_errors import READ_ONLY

RETRY_AFTER = 5
"""Seconds after which a client may ask again."""
_FULL_OR_GONE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE}


def is_outage(error: BaseException | None) -> bool:
    """Whether the error comes from a database, broker, cache, mail server or disk that is away, busy or full.

    A statement that is wrong in itself is none, nor is a constraint that does not hold.
    """
    while error is not None:
        if _is_one(error):
            return True
        error = error.__cause__
    return False


def _is_one(error: BaseException) -> bool:
    if isinstance(error, DatabaseProblem):
        return _is_of_the_database(error)
    if isinstance(error, OSError) and error.errno in _FULL_OR_GONE:
        return True
    return isinstance(error, RedisError | BrokerError | smtplib.SMTPException | ConnectionError | TimeoutError)


def _is_of_the_database(error: DatabaseProblem) -> bool:
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        # The low byte is the kind; of kind ERROR are statements that SQLite does not understand.
        return isinstance(error, OperationalError) and cause.sqlite_errorcode & 0xFF != sqlite3.SQLITE_ERROR
    if isinstance(error, InternalError):
        return getattr(cause, "sqlstate", None) == READ_ONLY
    return isinstance(error, OperationalError | InterfaceError)
