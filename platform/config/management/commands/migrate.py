"""`manage.py migrate`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.commands import migrate
from django.db import connection


class Command(migrate.Command):
    """Django's. On a new machine it makes the data folder first, before anything is checked: SQLite makes its file, but
    no folder for it."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        if connection.vendor == "sqlite":
            settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        return super().execute(*args, **options)
