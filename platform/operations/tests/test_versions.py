"""Of which versions the processes of an installation are."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from config.production import database
from contracts import rolling
from eventbus.sweeper import Sweeper
from operations import VERSION, heartbeat, versions
from operations.models import WorkerProcess

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _not_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "_alone", False)


def _heard(name: str, version: str = "", seconds: float = 0) -> None:
    """A process that was heard so many seconds ago."""
    row = {"version": version, "beaten_at": Now() - timedelta(seconds=seconds)}
    WorkerProcess.objects.update_or_create(name=name, defaults=row)


def test_a_process_writes_its_version_with_its_heartbeat() -> None:
    heartbeat.beat(sweeps=False)

    assert WorkerProcess.objects.get().version == VERSION


def test_a_sweep_looks_who_runs() -> None:
    Sweeper().sweep_once()

    assert rolling.all_read(VERSION)


def test_an_older_process_counts_for_a_minute_after_its_last_heartbeat() -> None:
    _heard("old", "", seconds=59)
    versions.look()
    assert not rolling.all_read(VERSION)

    _heard("old", "", seconds=61)
    versions.look()
    assert rolling.all_read(VERSION)


def test_a_newer_process_reads_what_this_version_writes() -> None:
    _heard("new", "99.0.0")
    versions.look()

    assert versions.running() == [VERSION, "99.0.0"]
    assert rolling.all_read(VERSION)


def test_asking_costs_no_statement() -> None:
    versions.look()
    with CaptureQueriesContext(connection) as asked:
        assert rolling.all_read(VERSION)
    assert len(asked) == 0


def test_an_operator_holds_new_forms_back(settings: Settings) -> None:
    versions.look()
    settings.WRITE_OLD_FORMS = True
    versions.look()
    assert not rolling.all_read(VERSION)

    versions.alone()
    assert not rolling.all_read(VERSION)


def test_the_process_of_the_embedded_mode_need_not_wait_for_the_one_before() -> None:
    _heard("before", "", seconds=1)

    versions.alone()
    Sweeper().sweep_once()

    assert rolling.all_read(VERSION)


def test_the_row_of_a_process_that_knows_nothing_of_versions_says_none() -> None:
    """As a process of 0.2.0 writes it beside these tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO operations_workerprocess (name, sweeps, counters, deliveries, beaten_at)"
            " VALUES ('old', true, '{}', '[]', CURRENT_TIMESTAMP)"
        )

    assert versions.running() == ["", VERSION]


def test_a_web_process_has_a_heart_that_beats_until_it_is_stopped() -> None:
    heart = heartbeat.WebHeart()
    heart.start()
    heart.stop()

    row = WorkerProcess.objects.get()
    assert (row.name, row.version, row.sweeps) == (heartbeat.name_of_process(), VERSION, False)
    assert rolling.all_read(VERSION)


def test_a_heart_goes_on_while_the_database_can_not_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    heart, beats, beat = heartbeat.WebHeart(interval=0), Counter[str](), heartbeat.beat

    def counted(*, sweeps: bool) -> None:
        beats["begun"] += 1
        if beats["begun"] == 3:
            _rename("away", "operations_workerprocess")
            heart._stopping.set()
        beat(sweeps=sweeps)
        beats["written"] += 1

    monkeypatch.setattr(heartbeat, "beat", counted)
    _rename("operations_workerprocess", "away")
    heart._run()

    assert beats == {"begun": 3, "written": 1}
    assert rolling.all_read(VERSION)


def _rename(table: str, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {name}")


OURS = f"plumbline {VERSION}"


@pytest.mark.parametrize(
    ("name", "ours", "version"),
    [
        (OURS, OURS, VERSION),
        ("plumbline", OURS, ""),
        ("plumbline 0.4.0", OURS, "0.4.0"),
        ("psql", OURS, None),
        ("plumbliner", OURS, None),
        ("", OURS, None),
        # Where PostgreSQL cuts a long name off, all processes have the same.
        ("x" * 63, "x" * 63, VERSION),
    ],
)
def test_the_name_of_a_connection_tells_the_version(name: str, ours: str, version: str | None) -> None:
    assert versions.version_of(name, ours) == version


def test_processes_call_their_connections_by_the_operators_name_and_the_version() -> None:
    url = "postgresql://u:secret@db/plumbline"

    assert database(url)["OPTIONS"]["application_name"] == OURS
    assert database(f"{url}?application_name=mine")["OPTIONS"]["application_name"] == f"mine {VERSION}"
