"""Migrations that this code has and the database has not had: its tables are behind."""

from __future__ import annotations

import time
from functools import cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

TRUST_SECONDS = 60.0
"""For how long it is believed that nothing was missing: readiness is asked for every few seconds."""

_complete_at: float | None = None


def count() -> int:
    """How many migrations this database lacks. A newer version may have run more: that is no lack.

    Raises Error of the database. Two statements at most, once a minute as long as nothing is missing.
    """
    global _complete_at
    if _complete_at is not None and time.monotonic() - _complete_at < TRUST_SECONDS:
        return 0
    lacks = len(_known() - MigrationRecorder(connection).applied_migrations().keys())
    _complete_at = None if lacks else time.monotonic()
    return lacks


def forget() -> None:
    """Look again at the next call (tests)."""
    global _complete_at
    _complete_at = None


@cache
def _known() -> frozenset[tuple[str, str]]:
    """Every migration of this code; read once, since that loads a hundred modules."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).graph.nodes)
