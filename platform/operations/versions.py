"""Which versions of Plumbline run on this database, while an upgrade replaces processes one by one.

Workers and web processes write their version with their heartbeat. Web processes before 0.3.0 have no heartbeat, but
each keeps a connection to PostgreSQL, whose name tells the version from 0.3.0 on.
"""

from __future__ import annotations

from django.conf import settings
from django.db import connection

from contracts import rolling
from operations import VERSION
from operations.models import WorkerProcess

HEARD_WITHIN = 60.0
"""Seconds after its last heartbeat for which a process counts as running."""

_CONNECTED = """
    SELECT DISTINCT application_name, current_setting('application_name') FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""

_alone = False


def running() -> list[str]:
    """The versions of all processes, this one among them, sorted; "" for one that does not say it.

    Raises DatabaseError.
    """
    heard = WorkerProcess.objects.heard_within(HEARD_WITHIN).values_list("version", flat=True)
    return sorted({VERSION, *heard, *_connected()})


def look() -> None:
    """Tell `contracts.rolling` which versions run, unless the operator holds new forms back. Raises DatabaseError."""
    if settings.WRITE_OLD_FORMS:
        rolling.heard([])
    elif not _alone:
        rolling.heard(running())


def alone() -> None:
    """This process has the data folder for itself: others that were heard just now have ended, and none comes."""
    global _alone
    _alone = True
    rolling.heard([] if settings.WRITE_OLD_FORMS else [VERSION])


def version_of(name: str, ours: str) -> str | None:
    """The version of a process by the name of its connection, beside a process of this version whose connection has the
    name `ours`; "" where it does not say it, None where it is no Plumbline. `config.production` makes the names."""
    given = ours.removesuffix(f" {VERSION}")
    if name == ours:
        return VERSION
    if name == given:
        return ""
    return name.removeprefix(f"{given} ") if name.startswith(f"{given} ") else None


def _connected() -> set[str]:
    if connection.vendor != "postgresql":
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_CONNECTED)
        found = {version_of(name, ours) for name, ours in cursor.fetchall()}
    return {version for version in found if version is not None}
