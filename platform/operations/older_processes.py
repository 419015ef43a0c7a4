"""What a migration may not do while processes of the last release run beside it (ADR 34).

Tables are brought forward first, then processes are replaced one by one. So between two releases a table may get more,
and may not lose what the last release reads or demand what it does not write. `make migrations` asks; the migrations of
the last release are in docs/migrations.released.json.

A migration that has to do it nevertheless, and whose author knows why older processes go on, says so:

    class Migration(migrations.Migration):
        beside_older_processes = "0.3.0 has not read this column any more, and neither writes it"
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models.fields import NOT_PROVIDED

MARKER = "beside_older_processes"
SHORTEST_REASON = 20
"""Characters: less is no reason."""
Node = tuple[str, str]

_HARMLESS = (
    migrations.CreateModel,
    migrations.AlterModelOptions,
    migrations.AlterModelManagers,
    migrations.AlterModelTableComment,
    migrations.AddIndex,
    migrations.RemoveIndex,
    migrations.RenameIndex,
)


def released_file() -> Path:
    """Where the migrations of the last release are listed: the newest of each app."""
    return Path(settings.ROOT) / "docs" / "migrations.released.json"


def newest() -> dict[str, str]:
    """The newest migration of each app."""
    return dict(sorted(MigrationLoader(None, ignore_no_migrations=True).graph.leaf_nodes()))


def problems() -> list[str]:
    """What the migrations since the last release would break, each with what to do instead."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    released = sorted(json.loads(released_file().read_text()).items())
    state: ProjectState = loader.project_state(released)
    known = {node for each in released for node in loader.graph.forwards_plan(each)}
    last, found = state.clone(), list[str]()
    for node in _plan(loader):
        if node not in known:
            migration = loader.disk_migrations[node]
            found += broken_promises(migration, last)
    return found


def broken_promises(migration: migrations.Migration, last: ProjectState) -> list[str]:
    """What a migration would break for processes whose tables are those of `last`; nothing where it says why not."""
    reason = str(getattr(migration, MARKER, ""))
    if len(reason.strip()) >= SHORTEST_REASON:
        return []
    name = f"{migration.app_label}.{migration.name}"
    return [
        f"{name}: {operation.describe()}: {problem}"
        for operation in _on_tables(migration.operations)
        if (problem := _problem(operation, migration.app_label, last))
    ]


def _plan(loader: MigrationLoader) -> Iterator[Node]:
    """All migrations, each after what it depends on, once."""
    seen = set[Node]()
    for leaf in sorted(loader.graph.leaf_nodes()):
        for node in loader.graph.forwards_plan(leaf):
            if node not in seen:
                seen.add(node)
                yield node


def _on_tables(operations: Sequence[Operation]) -> Iterator[Operation]:
    """Those that touch the database: what changes Django's picture of it alone breaks nobody."""
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from _on_tables(operation.database_operations)
        else:
            yield operation


def _problem(operation: Operation, app: str, last: ProjectState) -> str:
    """What is wrong with it for older processes; empty where they do not notice."""
    if isinstance(operation, _HARMLESS):
        return ""
    model = _model(operation)
    if model is None:
        return f"nobody can tell from outside. Say in {MARKER} why older processes go on reading and writing"
    if (app, model) not in last.models:
        return ""  # a table that older processes do not know
    fields = last.models[app, model].fields
    if isinstance(operation, migrations.AddField):
        return _of_added(operation.field)
    if isinstance(operation, migrations.AlterField):
        return _of_altered(fields[operation.name], operation.field) if operation.name in fields else ""
    if isinstance(operation, migrations.RemoveField) and operation.name not in fields:
        return ""  # the last release does without it already
    if isinstance(operation, migrations.AddConstraint):
        return "older processes may write what it forbids. Check in code first, and add it one release later"
    return (
        "older processes read or write by what goes here. Stop using it in this release "
        "(SeparateDatabaseAndState takes a field out of the state alone), and take it away in the next"
    )


def _model(operation: Operation) -> str | None:
    """The model that it is about, in lower case; None for Python, SQL and whatever else says none."""
    if isinstance(operation, migrations.RunPython | migrations.RunSQL):
        return None
    names = (getattr(operation, name, None) for name in ("model_name", "old_name", "name"))
    return next((name.lower() for name in names if name), None)


def _of_added(field: models.Field[Any, Any]) -> str:
    if field.many_to_many or field.generated or field.null:
        return ""
    if field.unique:
        return "rows of older processes would all have the same. Make it nullable, too"
    if field.db_default is NOT_PROVIDED:
        return "older processes leave it out when they insert rows. Make it nullable, or give it a db_default"
    return ""


def _of_altered(old: models.Field[Any, Any], new: models.Field[Any, Any]) -> str:
    if old.null and not new.null:
        return "older processes may write NULL. Do that one release after nobody writes it any more"
    if new.unique and not old.unique:
        return "older processes may write a value twice. Do that one release after the code prevents it"
    if old.db_default is not NOT_PROVIDED and new.db_default is NOT_PROVIDED:
        return "older processes insert rows by its db_default. Leave it for one release more"
    if _shape(old) != _shape(new):
        return "older processes read and write it as it was. Add another column beside it"
    if old.max_length and new.max_length and new.max_length < old.max_length:
        return "older processes may write longer values. Refuse them in code first, and shorten it one release later"
    return ""


def _shape(field: models.Field[Any, Any]) -> tuple[object, ...]:
    """What a process has to know of a column to read and write it."""
    _name, path, _args, kwargs = field.deconstruct()
    return path, field.db_column, kwargs.get("to"), kwargs.get("max_digits"), kwargs.get("decimal_places")
