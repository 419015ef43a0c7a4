"""What a database's refusal means for who runs Plumbline.

It lies with the bus, because commands, the doctor and the sweeper's log all say it.
"""

from __future__ import annotations

from django.db import Error as DatabaseProblem
from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext as _

NO_TABLES = ("42P01", "42703")
NOT_ALLOWED = "42501"
READ_ONLY = "25006"
STATEMENT_OF_ANOTHER = ("42P05", "26000")
"""A prepared statement is there already, or is not there: the connection behind a pooler is another's."""


def in_words(error: DatabaseProblem) -> str:
    """What is wrong and what to do; empty for an error that is no operator's to mend.

    It quotes the driver, which names a host, a user and a database but no password: for a terminal, not for a page.
    """
    state = _state(error)
    if state in NO_TABLES or "no such table" in str(error) or "no such column" in str(error):
        return _("This database does not have the tables of this Plumbline. Make them first: manage.py migrate.")
    if state == NOT_ALLOWED or "permission denied" in str(error):
        told = _("The database refuses its user (%(reason)s). Let that user own it: ALTER DATABASE name OWNER TO user.")
        return told % {"reason": first_line(error)}
    if state in STATEMENT_OF_ANOTHER:
        return _(
            "The pooler in front of the database can't keep prepared statements (%(reason)s). Add "
            "?prepare_threshold=none to DATABASE_URL, for every process; PgBouncer from 1.21 on can keep them."
        ) % {"reason": first_line(error)}
    if not isinstance(error, OperationalError | InterfaceError) and state != READ_ONLY:
        return ""
    return _(
        "The database can't be used: %(reason)s. Start it, and check DATABASE_URL or, without it, DATA_DIR; "
        "on a new machine run manage.py migrate first. manage.py doctor tells more."
    ) % {"reason": first_line(error)}


def reason(error: BaseException) -> str:
    """The kind of an error, and for one of the connection, which quotes no row, what is wrong: for the log."""
    kind = type(error).__name__
    if _state(error) in STATEMENT_OF_ANOTHER:
        return f"{kind}, {first_line(error)}: a pooler needs ?prepare_threshold=none in DATABASE_URL"
    about_connections = isinstance(error, OperationalError) and _state(error)[:2] in ("", "08", "28", "3D", "53", "57")
    return f"{kind}, {first_line(error)}" if about_connections else kind


def first_line(error: BaseException) -> str:
    """What the driver says, without its details."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def _state(error: BaseException) -> str:
    """PostgreSQL's code for it; empty without one, as where no connection came about."""
    return getattr(error.__cause__, "sqlstate", None) or ""
