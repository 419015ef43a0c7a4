"""What an upgrade has to wait for: workers of 0.1.0. Later ones go on beside newer tables (ADR 34)."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connections, router
from django.db.migrations import Migration

from operations.models import WorkerProcess

SILENT_AFTER = 30.0
"""Seconds without a heartbeat after which a worker counts as stopped: six beats."""
_BEFORE_LINES = ("answers", "0001_initial")
_LINES = ("answers", "0003_lines")
"""From here on, events say to which line they belong. A worker of 0.1.0 takes that for a mistake and gives them up."""


def workers_in_the_way(plan: Collection[tuple[Migration, bool]]) -> list[str]:
    """The workers that have to be stopped before these migrations may run; none for a new or an up-to-date database.

    A plan is what Django makes of it: migrations, each with whether it is taken back.
    """
    forwards = {(migration.app_label, migration.name) for migration, is_backwards in plan if not is_backwards}
    if _LINES not in forwards or _BEFORE_LINES in forwards:
        return []
    connection = connections[router.db_for_write(WorkerProcess)]
    if WorkerProcess._meta.db_table not in connection.introspection.table_names():
        return []
    heard = WorkerProcess.objects.heard_within(SILENT_AFTER)
    return list(heard.order_by("name").values_list("name", flat=True))
