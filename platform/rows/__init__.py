"""Objects of models from statements that are written out.

`Manager.raw` finds out for each statement anew which column belongs to which field, and how each is converted. On the
hot path that took as long as running the statement. A reader finds it out once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models

M = TypeVar("M", bound=models.Model)
Convert = Callable[[Any], Any]


class Reader(Generic[M]):
    """Reads rows of a model's columns. Fields that are not read are loaded where somebody asks for them."""

    def __init__(self, model: type[M], names: Sequence[str] = ()) -> None:
        """`names` are those of the fields that are read, spelled as attributes (`organisation_id`); without them all
        of the model's. Raises ValueError for one that the model does not have."""
        fields = model._meta.concrete_fields
        if unknown := set(names) - {field.attname for field in fields}:
            raise ValueError(f"{model.__name__} has no {sorted(unknown)}")
        self._model = model
        self._fields = [field for field in fields if not names or field.attname in names]
        self._names = tuple(field.attname for field in self._fields)
        self._converters: dict[str, list[tuple[int, Convert]]] = {}

    @property
    def columns(self) -> str:
        """What a statement has to select, in this order: the model's own."""
        return ", ".join(f'"{self._model._meta.db_table}"."{field.column}"' for field in self._fields)

    def read(self, statement: str, arguments: Sequence[object]) -> list[M]:
        """The objects of all rows. The arguments come as the database keeps them (`get_db_prep_value`)."""
        connection = connections[DEFAULT_DB_ALIAS]
        converters = self._converters.get(connection.vendor)
        if converters is None:
            converters = self._converters[connection.vendor] = list(self._found(connection))
        with connection.cursor() as cursor:
            cursor.execute(statement, arguments)  # type: ignore[arg-type]  # the stubs know fewer kinds of arguments
            rows = cursor.fetchall()
        return [self._object(row, converters) for row in rows]

    def _object(self, row: Sequence[Any], converters: list[tuple[int, Convert]]) -> M:
        values = list(row)
        for place, convert in converters:
            values[place] = convert(values[place])
        return self._model.from_db(DEFAULT_DB_ALIAS, self._names, values)

    def _found(self, connection: Any) -> Any:
        """What Django's compiler does to the columns of a query, each with its place."""
        for place, field in enumerate(self._fields):
            column = field.get_col(self._model._meta.db_table)
            for convert in (*connection.ops.get_db_converters(column), *column.get_db_converters(connection)):
                yield place, _bound(convert, column)


def _bound(convert: Callable[[Any, Any, Any], Any], column: Any) -> Convert:
    # The connection is looked up for each value: each thread has another one.
    return lambda value: convert(value, column, connections[DEFAULT_DB_ALIAS])
