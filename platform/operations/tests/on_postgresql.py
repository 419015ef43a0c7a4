"""Checks that only PostgreSQL can fail. tests/test_postgresql.py runs this file."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from eventbus.progress import Progress
from operations import VERSION, checks, doctor, full_disk, heartbeat, versions
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


def _run_out_of_disk() -> None:
    """PostgreSQL's own error, as its extending of a table raises it."""
    with connection.cursor() as cursor:
        cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$")


def _full_disk_view(request: HttpRequest) -> HttpResponse:
    _run_out_of_disk()
    raise NotImplementedError


urlpatterns = [path("full", _full_disk_view)]


@pytest.mark.urls(__name__)
def test_a_disk_that_the_database_says_is_full_is_noticed_where_somebody_saves() -> None:
    assert checks.check_disk() == checks.WELL
    with pytest.raises(OperationalError):
        Client().get("/full")

    found = checks.check_disk()

    assert (found.ok, found.says) == (False, "the database says that its disk is full: answers can't be saved")


def test_it_is_noticed_by_the_heartbeat_of_a_web_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def beat(*, sweeps: bool) -> None:
        _run_out_of_disk()

    monkeypatch.setattr(heartbeat, "beat", beat)
    heart = heartbeat.WebHeart()
    heart.start()
    heart.stop()

    assert not checks.check_disk().ok
    now = time.monotonic()
    monkeypatch.setattr("operations.full_disk.time.monotonic", lambda: now + full_disk.REMEMBERED)
    assert checks.check_disk() == checks.WELL


def _restore(tmp_path: Path) -> None:
    progress, file = Progress(io.StringIO(), quiet=True), tmp_path / "monday.plumbline"
    if not file.exists():
        back_up(file, progress)
    with opened(file) as archive:
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


def test_a_web_process_before_the_first_version_with_a_heartbeat_is_seen_by_its_connection(ours: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, false)", [f"{ours} {VERSION}"])
    with closing(_connected_as(f"{ours} {VERSION}")), closing(_connected_as("psql")):
        assert versions.running() == [VERSION]
        with closing(_connected_as(ours)):
            assert versions.running() == ["", VERSION]
        with closing(_connected_as(f"{ours} 0.4.0")):
            assert versions.running() == [VERSION, "0.4.0"]
