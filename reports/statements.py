"""Statements of storing, written out: having Django build them for each evaluation took longer than running them."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db import connection, models
from django.utils import timezone
from pydantic_core import to_json

from contracts import ReportSnapshot
from contracts.lines import line_of
from reports.models import ImmutableReport, Report
from rows import Reader

_REPORTS = Reader(Report, ("id", "submission", "revision", "provisional", "withdrawn", "engine", "position"))
_STANDING = f"""
    SELECT {_REPORTS.columns}
    FROM reports_report WHERE submission = %s
    UNION
    SELECT * FROM (
        SELECT {_REPORTS.columns}
        FROM reports_report WHERE organisation_id = %s AND line = %s AND NOT provisional
        ORDER BY position DESC LIMIT 1) newest
"""  # noqa: S608  (our own columns)


def standing(new: ReportSnapshot) -> tuple[list[Report], Report | None]:
    """The submission's reports, and the newest final one of its line."""
    key = Report._meta.pk
    wanted = (new.submission, new.organisation, line_of(new))
    found = _REPORTS.read(_STANDING, [key.get_db_prep_value(each, connection) for each in wanted])
    finals = [row for row in found if not row.provisional]
    return (
        [row for row in found if row.submission == new.submission],
        max(finals, key=lambda row: row.position, default=None),
    )


def store(report: Report) -> None:
    """Insert a new report, or write it over its own provisional row; raises ImmutableReport where that became final."""
    if report._state.adding:
        report.save()
        return
    report.updated_at = timezone.now()
    names = tuple(field.attname for field in Report._meta.concrete_fields if field.attname in report.__dict__)
    with connection.cursor() as cursor:
        cursor.execute(_replacement(names), [*_prepared(report, names), *_prepared(report, ("id",))])
        if cursor.rowcount != 1:
            raise ImmutableReport


@cache
def _replacement(names: tuple[str, ...]) -> str:
    columns = ", ".join(f'"{name}" = %s' for name in names)
    return f"UPDATE reports_report SET {columns} WHERE id = %s AND provisional"  # noqa: S608  (our own columns)


def _prepared(report: Report, names: tuple[str, ...]) -> list[Any]:
    """The values as the database at hand keeps them."""
    return [_as_kept(_field(name), getattr(report, name)) for name in names]


def _as_kept(field: models.Field[Any, Any], value: Any) -> Any:
    # A document goes as the text of its JSON, to both databases. Python's own encoder took a sixth of storing it.
    if isinstance(field, models.JSONField) and value is not None:
        return to_json(value).decode()
    return field.get_db_prep_save(value, connection)


@cache
def _field(name: str) -> models.Field[Any, Any]:
    field = Report._meta.get_field(name.removesuffix("_id") if name == "organisation_id" else name)
    assert isinstance(field, models.Field)
    return field
