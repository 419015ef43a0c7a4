"""Restoring a backup: all of it or nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.management.color import no_style
from django.db import DatabaseError, connection, models, transaction
from django.db.models.sql import InsertQuery

from eventbus.progress import Progress
from operations import VERSION, heartbeat
from operations.archive import tables
from operations.archive.file import DAMAGED, Manifest, Reader, Unusable
from operations.models import WorkerProcess

T = TypeVar("T")
SILENCE = 2 * heartbeat.INTERVAL
"""Seconds after which a worker counts as stopped."""

_OTHER_CONNECTIONS = """
    SELECT DISTINCT coalesce(host(client_addr), 'this machine') FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
      AND application_name = current_setting('application_name')
    ORDER BY 1
"""
"""Those of other processes of ours: all of them give the same name."""


class NotEmpty(RuntimeError):
    """The database holds something, which nobody has said may go. The message lists it."""


def restore(
    archive: Reader,
    progress: Progress,
    *,
    replace: bool = False,
    before_commit: Callable[[], None] = lambda: None,
) -> None:
    """Fill the database from the archive, in one transaction.

    Raises Unusable, or NotEmpty unless `replace`; the database is then as it was. So it is after whatever is raised
    before `before_commit` was called.
    """
    fits(archive.manifest)
    try:
        with transaction.atomic(durable=True):
            _take_all_tables()
            _refuse_workers()
            _refuse_connections()
            held = contents()
            if held and not replace:
                raise NotEmpty(", ".join(f"{count:,} {name}" for name, count in held.items()))
            _clear()
            for model in tables.tables():
                _fill(model, archive, progress)
            connection.check_constraints()
            _reset_sequences()
            before_commit()
    except DatabaseError as error:
        raise Unusable(
            f"the database refused a row ({type(error).__name__}), so nothing was changed. "
            "Check the file with manage.py verify, and that nobody else uses the database"
        ) from None


def fits(manifest: Manifest) -> None:
    """Raise Unusable where the archive was made by a Plumbline with other tables, or where tables are missing here."""
    if not tables.are_up_to_date():
        raise Unusable("this database is not up to date. Run manage.py migrate, then try again")
    here = {(app, name) for app, names in tables.applied_migrations().items() for name in names}
    there = {(app, name) for app, names in manifest.migrations.items() for name in names}
    if unknown := sorted(there - here):
        raise Unusable(
            f"it was made by a newer Plumbline ({manifest.product}; this is {VERSION}): {_first(unknown)} is not known "
            f"here. Install version {manifest.product}, restore with that"
        )
    if missing := sorted(here - there):
        raise Unusable(
            f"it was made by an older Plumbline ({manifest.product}; this is {VERSION}), before {_first(missing)}. "
            f"Restore it with version {manifest.product}, then upgrade: its data is brought up to date on the way"
        )
    expected = {model._meta.db_table: tables.column_names(model) for model in tables.tables()}
    if expected != {name: table.columns for name, table in manifest.tables.items()}:
        raise Unusable(f"its tables are not those of this Plumbline ({VERSION}). Use version {manifest.product}")


def contents() -> dict[str, int]:
    """What the database holds besides what a first start writes: rows by the table's name for people."""
    counted = {
        str(model._meta.verbose_name_plural): model._base_manager.count()
        for model in tables.tables()
        if model not in tables.FILLED_BY_A_START
    }
    return {name: count for name, count in counted.items() if count}


def put_secret_key(key: str, path: Path) -> bool:
    """Write the key that signs sessions, unless there is one; gives whether the key is there now."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip() == key
    with os.fdopen(descriptor, "w") as file:
        file.write(key + "\n")
    return True


def _first(migrations: list[tuple[str, str]]) -> str:
    return ".".join(migrations[0])


def _everything() -> list[type[models.Model]]:
    return [*tables.tables(), *tables.LEFT_OUT]


def _take_all_tables() -> None:
    """Nobody else may write meanwhile. SQLite's transaction has the whole file already."""
    if connection.vendor == "postgresql":
        names = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in _everything())
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")


def _refuse_workers() -> None:
    at_work = WorkerProcess.objects.heard_within(SILENCE).values_list("name", flat=True).first()
    if at_work:
        raise Unusable(
            f"a worker ({at_work}) is at work on this database. Stop Plumbline first; "
            f"if it has just stopped, wait {SILENCE:.0f} seconds"
        )


def _refuse_connections() -> None:
    """Web processes show themselves by nothing but their connections, of which each keeps one at least once it has
    served. What they remember of the old rows would be wrong afterwards. Nobody else opens an SQLite file."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(_OTHER_CONNECTIONS)
        addresses = [address for (address,) in cursor.fetchall()]
    if addresses:
        raise Unusable(
            f"other processes of Plumbline are connected to this database, from {', '.join(addresses)}. Stop all of "
            "them first, web servers and commands, too. A pooler keeps connections for a while after that: let it "
            "close them (PgBouncer: RECONNECT), or restore past it"
        )


def _clear() -> None:
    with connection.cursor() as cursor:
        for model in reversed(_everything()):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608  (our names)


def _fill(model: type[models.Model], archive: Reader, progress: Progress) -> None:
    table, fields = model._meta.db_table, tables.columns(model)
    rows = progress.over(archive.rows(table), table, archive.manifest.tables[table].rows)
    size = max(1, min(connection.ops.bulk_batch_size(fields, [None] * tables.PAGE), tables.PAGE))
    for batch in _in_batches(rows, size):
        try:
            objects = [_object(model, fields, row) for row in batch]
        except (ValidationError, ValueError, TypeError):
            raise Unusable(f"table {table} has a row that it can't hold. {DAMAGED}") from None
        _insert(model, fields, objects)


def _object(model: type[models.Model], fields: list[models.Field[Any, Any]], row: list[Any]) -> models.Model:
    pairs = zip(fields, row, strict=True)
    return model(**{field.attname: tables.read_back(field, value) for field, value in pairs})


def _insert(model: type[models.Model], fields: list[models.Field[Any, Any]], objects: list[models.Model]) -> None:
    """Insert the rows as they are: `raw`, so that no field takes the time of day for its own."""
    query = InsertQuery(model)
    query.insert_values(fields, objects, raw=True)
    query.get_compiler(connection=connection).execute_sql()


def _in_batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


def _reset_sequences() -> None:
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), tables.tables()):
            cursor.execute(statement)
