"""The least that a handler can do in a database: one insert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.db import connection

from contracts import Event
from eventbus import subscribe
from tests.bench.inserting import INSERTER


@dataclass(frozen=True, kw_only=True)
class Counted(Event):
    """A fact without weight."""

    TYPE: ClassVar[str] = "BenchCounted"

    number: int
    thing: UUID

    @property
    def source(self) -> str:
        return "bench"

    @property
    def key(self) -> str:
        return str(self.thing)

    @property
    def organisation_id(self) -> UUID:
        return self.thing


@subscribe(Counted, name=INSERTER, batch=True)
def insert(event: Counted) -> None:
    """Insert a row."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_effect (number) VALUES (%s)", (event.number,))
