"""Making a backup while everything runs: all tables as they were at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection

from eventbus.progress import Progress
from operations import VERSION
from operations.archive import file, tables


def back_up(path: Path, progress: Progress, *, with_secret_key: bool = False) -> file.Manifest:
    """Write everything to a new file; nobody has to wait for it. Raises Unusable."""
    if not tables.are_up_to_date():
        raise file.Unusable(
            "this database does not have the tables of this Plumbline. Run manage.py migrate first, "
            "or make the backup with the version that was running on it"
        )
    with file.written(path) as writer, snapshot():
        manifest = file.Manifest(
            format=1,
            product=VERSION,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            database=connection.vendor,
            migrations=tables.applied_migrations(),
            tables={},
            has_secret_key=with_secret_key,
        )
        for model in tables.tables():
            name, columns = model._meta.db_table, tables.column_names(model)
            rows = progress.over(tables.rows(model), name, model._base_manager.count())
            manifest.tables[name] = writer.table(name, columns, rows)
        if with_secret_key:
            writer.text(file.SECRET_KEY, settings.SECRET_KEY)
        writer.text(file.MANIFEST, manifest.model_dump_json(indent=1))
    return manifest


@contextmanager
def snapshot() -> Iterator[None]:
    """One moment of the database, for everything that is read inside. Others go on writing, also on SQLite:
    there this is a deferred transaction, which takes no lock, unlike those of `atomic()`."""
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if connection.vendor == "postgresql" else "BEGIN DEFERRED"
    connection.ensure_connection()
    if connection.in_atomic_block:
        raise RuntimeError("a backup starts a transaction of its own")
    with connection.cursor() as cursor:
        cursor.execute(begin)
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")
