"""Workers show that they are alive, and what they have done."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from eventbus import metrics
from eventbus.sweeper import Sweeper
from operations import heartbeat
from operations.models import WorkerProcess

pytestmark = [pytest.mark.thorough, pytest.mark.django_db(transaction=True)]


def test_a_sweep_is_a_heartbeat_by_the_databases_clock() -> None:
    Sweeper().sweep_once()

    row = WorkerProcess.objects.get()
    assert (row.name, row.sweeps) == (heartbeat.name_of_process(), True)
    assert WorkerProcess.objects.heard_within(1).exists()


def _name_in(process: str) -> str:
    """The name of a process that runs this, whose machine and number are those of every other that does."""
    copies = "import os, socket; socket.gethostname, os.getpid = lambda: 'copy', lambda: 7"
    shown = f"import django; django.setup(); from operations import heartbeat; {process}"
    path = f"{settings.ROOT}:{settings.ROOT / 'platform'}"
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "config.settings_for_tests"}
    command = [sys.executable, "-c", f"{copies}; {shown}"]
    return subprocess.run(command, env=given, capture_output=True, text=True, check=True).stdout.strip()


def test_workers_of_two_machines_with_one_name_have_a_row_each() -> None:
    names = {_name_in("print(heartbeat.name_of_process())") for _copy in range(2)}

    assert len(names) == 2
    assert {name.startswith("copy:7:") for name in names} == {True}


def test_a_process_keeps_its_name_and_its_child_gets_another() -> None:
    here, again = heartbeat.name_of_process(), heartbeat.name_of_process()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, heartbeat.name_of_process().encode())
        os._exit(0)
    os.waitpid(child, 0)
    told = os.read(reading, 200).decode()
    os.close(reading)
    os.close(writing)

    assert here == again
    assert told.rpartition(":")[2] != here.rpartition(":")[2]


def test_many_sweeps_write_once_in_five_seconds() -> None:
    sweeper = Sweeper()
    sweeper.sweep_once()
    with CaptureQueriesContext(connection) as asked:
        sweeper.sweep_once()
    assert [query for query in asked.captured_queries if "operations_" in query["sql"]] == []


def test_a_beat_writes_its_own_row_again_and_takes_the_counters_along() -> None:
    metrics.count_delivery("done", "security.evaluate", 2)
    heartbeat.beat(sweeps=True)
    metrics.count_delivery("done", "security.evaluate")
    heartbeat.beat(sweeps=False)

    row = WorkerProcess.objects.get()
    assert row.sweeps
    assert row.counters == {"done": 3}
    assert row.deliveries == [["security.evaluate", "done", 3]]


def test_a_process_that_ended_is_forgotten_after_an_hour() -> None:
    WorkerProcess.objects.create(name="gone", beaten_at=Now() - timedelta(minutes=61))
    WorkerProcess.objects.create(name="silent", beaten_at=Now() - timedelta(minutes=59))
    heartbeat.beat(sweeps=True)
    assert set(WorkerProcess.objects.values_list("name", flat=True)) == {heartbeat.name_of_process(), "silent"}


def test_a_sweep_that_fails_is_no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> int:
        raise RuntimeError

    monkeypatch.setattr("eventbus.sweeper.sweep", broken)
    Sweeper().sweep_once()
    assert not WorkerProcess.objects.exists()
