"""Workers show that they are alive, and what they have done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from eventbus import metrics
from eventbus.sweeper import Sweeper
from operations import heartbeat
from operations.models import WorkerProcess

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_sweep_is_a_heartbeat_by_the_databases_clock() -> None:
    Sweeper().sweep_once()

    row = WorkerProcess.objects.get()
    assert (row.name, row.sweeps) == (heartbeat.name_of_process(), True)
    assert WorkerProcess.objects.heard_within(1).exists()


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
