"""Restoring a backup of an older version: its tables are made, filled and brought forward (ADR 35)."""

from __future__ import annotations

from collections.abc import Callable

from django.core.management import call_command
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor

from accounts.models import Erased
from eventbus.progress import Progress
from operations import VERSION
from operations.archive import tables
from operations.archive.file import Manifest, Reader, Unusable
from operations.archive.restore import NotEmpty, erase_again, fill, is_known, refuse_processes, whole_or_nothing

Node = tuple[str, str]


def restore_older(
    archive: Reader,
    progress: Progress,
    say: Callable[[str], object],
    *,
    erased: list[Erased] | None = None,
    before_commit: Callable[[], None],
) -> tuple[int, int]:
    """Fill a database that has no tables yet from a backup of this version or an older one, bring it forward, and erase
    again what the list says; gives how many organisations and people that were.

    Raises Unusable, and NotEmpty where it holds anything. The rows come in one transaction. A crash before it leaves
    empty tables, with which the next call goes on; a crash after it leaves what an installation of that older version
    would have, which `manage.py migrate` brings forward.
    """
    is_known(archive.manifest)
    had = {(app, name) for app, names in archive.manifest.migrations.items() for name in names}
    executor = MigrationExecutor(connection)
    if set(executor.loader.applied_migrations) - had:
        raise Unusable(
            "--upgrade makes the tables itself, as they were then, and this database has newer ones. Give it a new "
            "one: another DATA_DIR, or in production another database in DATABASE_URL, without manage.py migrate"
        )
    say(f"Making the tables of version {archive.manifest.product} ...")
    targets = _newest(had, executor)
    executor.migrate(targets)
    found = _models(targets, executor, archive.manifest)
    with whole_or_nothing():
        refuse_processes()
        if held := [str(model._meta.verbose_name_plural) for model in found if model._base_manager.exists()]:
            raise NotEmpty(", ".join(held))
        fill(found, archive, progress)
        before_commit()
    say(f"Bringing it forward to version {VERSION} ...")
    call_command("migrate", interactive=False, verbosity=0)
    with whole_or_nothing():
        return erase_again(erased or [])


def _newest(nodes: set[Node], executor: MigrationExecutor) -> list[Node]:
    """The migrations of each app that no other one of the same app builds upon: those lead to the others."""
    graph = executor.loader.graph
    built_upon = {
        parent.key
        for node in nodes & graph.nodes.keys()
        for parent in graph.node_map[node].parents
        if parent.key[0] == node[0]
    }
    return sorted((nodes & graph.nodes.keys()) - built_upon)


def _models(targets: list[Node], executor: MigrationExecutor, manifest: Manifest) -> list[type[models.Model]]:
    """The models as they were then. Raises Unusable where their tables are not those of the file."""
    state = executor.loader.project_state(targets)
    left_out = {model._meta.db_table for model in (*tables.LEFT_OUT, *tables.KEPT)}
    everything = state.apps.get_models(include_auto_created=True)
    found = [model for model in everything if model._meta.managed and not model._meta.proxy]
    found = [model for model in found if model._meta.db_table not in left_out]
    expected = {model._meta.db_table: sorted(tables.column_names(model)) for model in found}
    if expected != {name: sorted(table.columns) for name, table in manifest.tables.items()}:
        raise Unusable(f"its tables are not those of version {manifest.product}. Use the very build that made it")
    return found
