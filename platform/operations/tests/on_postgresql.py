"""Checks that only PostgreSQL can fail. tests/test_postgresql.py runs this file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.db import connection

from eventbus.progress import Progress
from operations import checks, doctor
from operations.archive.backup import back_up
from operations.archive.file import Unusable, opened
from operations.archive.restore import restore

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_database_that_was_made_read_only_is_noticed() -> None:
    assert checks.check_database() == checks.WELL
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    try:
        found = checks.check_database()
    finally:
        connection.close()
    assert (found.ok, found.says) == (False, "the database takes no writes")


def _restore(tmp_path: Path) -> None:
    progress, path = Progress(io.StringIO(), quiet=True), tmp_path / "monday.plumbline"
    if not path.exists():
        back_up(path, progress)
    with opened(path) as archive:
        restore(archive, progress, replace=True)


@pytest.fixture
def ours() -> Iterator[str]:
    """The name by which processes of ours are known, for this test alone: threads of other tests may be connected."""
    name = f"plumbline {uuid4().hex}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, false)", [name])
    yield name
    connection.close()


def _connected_as(application: str) -> psycopg.Connection:
    given = connection.get_connection_params() | {"application_name": application}
    return psycopg.connect(**{name: given[name] for name in ("dbname", "user", "host", "port", "application_name")})


def test_a_restore_refuses_a_database_to_which_a_web_process_is_connected(ours: str, tmp_path: Path) -> None:
    with (
        closing(_connected_as(ours)),
        pytest.raises(Unusable, match=r"are connected to this database, from 127\.0\.0\.1\. Stop all of them first"),
    ):
        _restore(tmp_path)


def test_a_restore_goes_on_beside_an_operator_who_looks_at_the_database(ours: str, tmp_path: Path) -> None:
    with closing(_connected_as("psql")):
        _restore(tmp_path)


def test_without_a_pooler_the_doctor_speaks_of_none() -> None:
    assert [finding.what for finding in doctor._of_the_kind_of_database()][1:] == ["Clock"]
