"""Which tables a backup has, and how a row is spelled in it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.utils.duration import duration_string

from accounts.models import Erased, OpenSession, SetupLink
from mailing.models import Mail
from operations.models import WorkerProcess
from questionnaires.models import Definition

PAGE = 500
"""Rows that are read at a time."""
LEFT_OUT: tuple[type[models.Model], ...] = (Session, OpenSession, WorkerProcess, Mail)
"""A file must not sign anybody in, as codes in mails would, too, and the processes of another time are gone."""
KEPT: tuple[type[models.Model], ...] = (Erased,)
"""What no backup has and no restore clears: what was erased since a backup was made must not come back with it."""
FILLED_BY_A_START: tuple[type[models.Model], ...] = (ContentType, Permission, Definition, SetupLink)
"""A database that holds nothing but these is as good as empty."""

Row = list[Any]


def tables() -> list[type[models.Model]]:
    """What is backed up, parents before their children where there is such an order."""
    found = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    found = [model for model in found if not model._meta.proxy and model not in (*LEFT_OUT, *KEPT)]
    return sorted(found, key=lambda model: (model is LogEntry, model._meta.db_table))


def columns(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    """The stored fields of a table, in their order."""
    return [field for field in model._meta.concrete_fields if not field.generated]


def column_names(model: type[models.Model]) -> list[str]:
    return [str(field.column) for field in columns(model)]


def rows(model: type[models.Model]) -> Iterator[Row]:
    """Every row by rising key, as JSON-ready values; reads a page at a time, in the caller's transaction."""
    names = [field.attname for field in columns(model)]
    key = names.index(model._meta.pk.attname)
    everything = model._base_manager.order_by("pk").values_list(*names)
    page = list(everything[:PAGE])
    while page:
        for row in page:
            yield [spelled(value) for value in row]
        page = list(everything.filter(pk__gt=page[-1][key])[:PAGE])


def spelled(value: Any) -> Any:
    """A value of the database in JSON; its column's `to_python` reads it back."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, timedelta):
        return duration_string(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    return value


def read_back(field: models.Field[Any, Any], value: Any) -> Any:
    """The value of a column from its JSON; raises ValidationError or ValueError for what the column does not take."""
    if value is None:
        return None
    if isinstance(field, models.JSONField):
        return value
    if isinstance(field, models.BinaryField):
        return base64.b64decode(value, validate=True)
    if isinstance(field, models.ForeignKey):
        return read_back(field.target_field, value)
    return field.to_python(value)


def are_up_to_date() -> bool:
    """Whether the database has the tables that this code knows."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def applied_migrations() -> dict[str, list[str]]:
    """The migrations that this database has, by app, sorted."""
    found: dict[str, list[str]] = {}
    for app, name in sorted(MigrationRecorder(connection).applied_migrations()):
        found.setdefault(app, []).append(name)
    return found
