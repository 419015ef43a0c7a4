"""Restoring a backup: all of it or nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.management.color import no_style
from django.db import DatabaseError, connection, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models.sql import InsertQuery

from accounts import erasure
from accounts.models import Erased
from eventbus.progress import Progress
from operations import VERSION, heartbeat
from operations.archive import tables
from operations.archive.erased import learn
from operations.archive.file import DAMAGED, Manifest, Reader, Unusable
from operations.models import WorkerProcess
from operations.versions import version_of

T = TypeVar("T")
SILENCE = 2 * heartbeat.INTERVAL
"""Seconds after which a process counts as stopped."""

_OTHER_CONNECTIONS = """
    SELECT application_name, current_setting('application_name'), coalesce(host(client_addr), 'this machine')
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


class NotEmpty(RuntimeError):
    """The database holds something, which nobody has said may go. The message lists it."""


def restore(
    archive: Reader,
    progress: Progress,
    *,
    replace: bool = False,
    erased: list[Erased] | None = None,
    before_commit: Callable[[], None] = lambda: None,
) -> tuple[int, int]:
    """Fill the database from the archive, in one transaction, and erase again what was erased since it was made, by
    what this database knows and the list says; gives how many organisations and people that were.

    Raises Unusable, or NotEmpty unless `replace`; the database is then as it was. So it is after whatever is raised
    before `before_commit` was called.
    """
    fits(archive.manifest)
    with whole_or_nothing():
        _take_all_tables()
        refuse_processes()
        held = contents()
        if held and not replace:
            raise NotEmpty(", ".join(f"{count:,} {name}" for name, count in held.items()))
        _clear()
        fill(tables.tables(), archive, progress)
        gone = erase_again(erased or [])
        before_commit()
    return gone


def erase_again(listed: list[Erased]) -> tuple[int, int]:
    """Erase what came back though it was erased, by what this database knows and the list says; gives how many
    organisations and people that were. Runs inside a transaction."""
    learn(listed)
    return erasure.again()


@contextmanager
def whole_or_nothing() -> Iterator[None]:
    """One transaction; a row that the database refuses is Unusable."""
    try:
        with transaction.atomic(durable=True):
            yield
    except DatabaseError as error:
        raise Unusable(
            f"the database refused a row ({type(error).__name__}), so nothing was changed. "
            "Check the file with manage.py verify, and that nobody else uses the database"
        ) from None


def is_known(manifest: Manifest) -> None:
    """Raise Unusable where the archive was made by a newer Plumbline."""
    there = {(app, name) for app, names in manifest.migrations.items() for name in names}
    if unknown := sorted(there - MigrationLoader(connection).disk_migrations.keys()):
        raise Unusable(
            f"it was made by {_which(manifest, 'a newer Plumbline')}: {_first(unknown)} is not known here. "
            f"Install version {manifest.product}, restore with that"
        )


def fits(manifest: Manifest) -> None:
    """Raise Unusable where the archive was made by a Plumbline with other tables, or where tables are missing here."""
    is_known(manifest)
    there = {(app, name) for app, names in manifest.migrations.items() for name in names}
    if missing := sorted(MigrationLoader(connection).graph.nodes.keys() - there):
        raise Unusable(
            f"it was made by {_which(manifest, 'an older Plumbline')}, before {_first(missing)}. Restore it with "
            "--upgrade into a database that has no tables yet, which brings it forward on the way; or with version "
            f"{manifest.product}, and upgrade then"
        )
    if not tables.are_up_to_date():
        raise Unusable("this database is not up to date. Run manage.py migrate, then try again")
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


def _which(manifest: Manifest, kind: str) -> str:
    """Both versions, by their names; builds between two releases have the same."""
    if manifest.product == VERSION:
        kind = kind.replace("Plumbline", "build of the same version")
    return f"{kind} ({manifest.product}; this is {VERSION})"


def _first(migrations: list[tuple[str, str]]) -> str:
    return ".".join(migrations[0])


def _everything() -> list[type[models.Model]]:
    return [*tables.tables(), *tables.LEFT_OUT]


def _take_all_tables() -> None:
    """Nobody else may write until it ends. SQLite's transaction has the whole file already."""
    if connection.vendor == "postgresql":
        names = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in _everything())
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")


def refuse_processes() -> None:
    """Raise Unusable while another process of ours is at work on this database."""
    at_work = WorkerProcess.objects.heard_within(SILENCE).values_list("name", flat=True).first()
    if at_work:
        raise Unusable(
            f"a process of Plumbline ({at_work}) is at work on this database. Stop all of them first; "
            f"if the last one has just stopped, wait {SILENCE:.0f} seconds"
        )
    _refuse_connections()


def _refuse_connections() -> None:
    """Web processes before 0.3.0 show themselves by nothing but their connections, of which each keeps one at least
    once it has served. What they remember of the old rows would be wrong afterwards. An SQLite file nobody else opens.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(_OTHER_CONNECTIONS)
        found = {address for name, ours, address in cursor.fetchall() if version_of(name, ours) is not None}
    if found:
        raise Unusable(
            f"other processes of Plumbline are connected to this database, from {', '.join(sorted(found))}. Stop all "
            "of them first, web servers and commands, too. A pooler keeps connections for a while after that: let it "
            "close them (PgBouncer: RECONNECT), or restore past it"
        )


def _clear() -> None:
    with connection.cursor() as cursor:
        for model in reversed(_everything()):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608  (our names)


def fill(found: Iterable[type[models.Model]], archive: Reader, progress: Progress) -> None:
    """Put the archive's rows into the empty tables of these models."""
    found = list(found)
    for model in found:
        _fill(model, archive, progress)
    connection.check_constraints()
    _reset_sequences(found)


def _fill(model: type[models.Model], archive: Reader, progress: Progress) -> None:
    table, by_column = model._meta.db_table, {field.column: field for field in tables.columns(model)}
    fields = [by_column[name] for name in archive.manifest.tables[table].columns]
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


def _reset_sequences(found: list[type[models.Model]]) -> None:
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), found):
            cursor.execute(statement)
