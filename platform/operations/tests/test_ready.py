"""`/health/ready`: what works, what does not, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import patch

import pytest
from celery import current_app
from django.db import OperationalError, connection
from django.db.models.functions import Now
from django.test import Client
from pytest_django import Settings

from config.embedded.worker import EmbeddedWorker
from contracts import AnswerEvent
from eventbus import publish
from eventbus.models import Delivery
from eventbus.tests.making import saved
from operations import checks, heartbeat, views
from operations.models import WorkerProcess

pytestmark = pytest.mark.django_db

WELL = {"ok": True}


@pytest.fixture
def worker() -> None:
    """A worker that has just swept."""
    heartbeat.beat(sweeps=True)


@pytest.fixture
def dead_broker() -> Iterator[None]:
    """A real connection attempt to a port that nobody listens on."""
    before = {name: current_app.conf.get(name) for name in ("broker_url", "broker_write_url")}
    current_app.conf.update(dict.fromkeys(before, "amqp://guest:hunter2@127.0.0.1:1//"))
    yield
    current_app.conf.update(before)


@pytest.fixture(autouse=True)
def _roomy_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "free_space", lambda: 100 * 2**20)


@pytest.fixture(autouse=True)
def _nothing_failed_before() -> Iterator[None]:
    views._failing.clear()
    yield
    views._failing.clear()


def test_everything_works(client: Client, worker: None) -> None:
    response = client.get("/health/ready")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "checks": {
            "database": WELL,
            "disk": {"ok": True, "free_mib": 100},
            "broker": WELL,
            "channel_layer": WELL,
            "workers": {"ok": True, "alive": 1},
            "events": {"ok": True, "oldest_seconds": 0.0, "undelivered": 0, "overdue": 0, "dead": 0},
        },
    }
    assert "no-store" in response["Cache-Control"]


def test_without_a_worker_it_is_not_ready_and_says_how_to_start_one(client: Client) -> None:
    response = client.get("/health/ready")

    assert response.status_code == 503
    assert response.json()["status"] == "failing"
    assert response.json()["checks"]["workers"] == {
        "ok": False,
        "alive": 0,
        "problem": "no worker has shown itself for 60 seconds",
        "fix": "Start one: manage.py up, or in production deploy/run worker. Nothing is lost meanwhile.",
    }
    assert response.json()["checks"]["database"] == WELL


def test_a_worker_that_fell_silent_does_not_count(client: Client, settings: Settings, worker: None) -> None:
    settings.HEALTH_MAX_WORKER_SILENCE = 20
    WorkerProcess.objects.update(beaten_at=Now() - timedelta(seconds=19))
    assert client.get("/health/ready").status_code == 200
    WorkerProcess.objects.update(beaten_at=Now() - timedelta(seconds=21))
    assert client.get("/health/ready").status_code == 503


def test_a_child_that_only_counts_is_no_sweeping_worker(client: Client) -> None:
    heartbeat.beat(sweeps=False)
    assert client.get("/health/ready?check=workers").status_code == 503


def test_a_worker_of_this_process_that_takes_no_tasks_is_noticed_though_its_sweeper_beats(
    client: Client, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EmbeddedWorker, "running", EmbeddedWorker(current_app))  # never started

    response = client.get("/health/ready")

    assert response.status_code == 503
    found = response.json()["checks"]
    assert [name for name, each in found.items() if not each["ok"]] == ["workers"]
    assert found["workers"] == {
        "ok": False,
        "problem": "the worker of this process has stopped: deliveries wait for the sweep",
        "fix": "Start Plumbline again. Nothing is lost meanwhile.",
    }


@pytest.mark.parametrize(("free", "status"), [(checks.LEAST_FREE, 200), (checks.LEAST_FREE - 1, 503)])
def test_a_disk_without_room_for_the_next_saves_is_noticed(
    client: Client, worker: None, monkeypatch: pytest.MonkeyPatch, free: int, status: int
) -> None:
    monkeypatch.setattr(checks, "free_space", lambda: free)
    assert client.get("/health/ready").status_code == status


def test_a_probe_that_fails_again_and_again_is_logged_once_and_once_more_when_all_is_well(
    client: Client, dead_broker: None, caplog: pytest.LogCaptureFixture
) -> None:
    for _probe in range(3):
        assert client.get("/health/ready?check=broker").status_code == 503
    with patch.dict(checks.CHECKS, broker=lambda: checks.WELL):
        assert client.get("/health/ready?check=broker").status_code == 200
    assert [record.getMessage() for record in caplog.records] == [
        "the check broker fails: the broker does not answer: deliveries wait for the next sweep (OperationalError)",
        "the check broker is well again",
    ]


def test_an_event_that_waits_too_long_makes_it_unready(client: Client, settings: Settings, worker: None) -> None:
    settings.HEALTH_MAX_EVENT_AGE = 60
    event: AnswerEvent = saved()
    publish(event)
    Delivery.objects.update(created_at=Now() - timedelta(seconds=50))
    assert client.get("/health/ready").status_code == 200
    Delivery.objects.update(created_at=Now() - timedelta(seconds=70))
    response = client.get("/health/ready")
    assert response.status_code == 503
    found = response.json()["checks"]["events"]
    assert (found["ok"], found["undelivered"], found["problem"]) == (False, 1, "events wait too long")
    assert 70 <= found["oldest_seconds"] < 80


def test_a_broker_that_is_away_is_named_and_its_password_is_not(
    client: Client, worker: None, dead_broker: None, caplog: pytest.LogCaptureFixture
) -> None:
    response = client.get("/health/ready")

    assert response.status_code == 503
    found = response.json()["checks"]
    assert [name for name, each in found.items() if not each["ok"]] == ["broker"]
    assert found["broker"]["fix"] == "Start Redis, and check REDIS_URL. Nothing is lost meanwhile."
    assert "hunter2" not in response.content.decode() + caplog.text


def test_a_channel_layer_that_swallows_messages_is_noticed(
    client: Client, worker: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from channels.layers import get_channel_layer

    async def swallow(channel: str, message: object) -> None: ...

    monkeypatch.setattr("operations.checks.PATIENCE", 0.05)
    monkeypatch.setattr(get_channel_layer(), "send", swallow)

    response = client.get("/health/ready?check=channel_layer")

    assert response.status_code == 503
    assert response.json()["checks"]["channel_layer"]["problem"] == "messages to open tabs do not arrive"


def test_the_round_trip_leaves_no_channel_behind(client: Client) -> None:
    from channels.layers import get_channel_layer

    before = dict(vars(get_channel_layer())["channels"])
    assert client.get("/health/ready?check=channel_layer").status_code == 200
    assert vars(get_channel_layer())["channels"] == before


def test_a_database_that_is_gone_is_said_without_where_it_was(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise OperationalError("unable to open /srv/plumbline.sqlite3")

    monkeypatch.setattr(connection, "cursor", gone)

    response = client.get("/health/ready")

    assert response.status_code == 503
    found = response.json()["checks"]
    assert [name for name, each in found.items() if not each["ok"]] == ["database", "workers", "events"]
    assert "/srv" not in response.content.decode()


def test_a_probe_may_ask_for_some_checks_only(client: Client) -> None:
    response = client.get("/health/ready?check=database&check=broker")

    assert response.status_code == 200
    assert response.json()["checks"] == {"database": WELL, "broker": WELL}


def test_a_check_that_does_not_exist_is_refused(client: Client) -> None:
    response = client.get("/health/ready?check=coffee")

    assert response.status_code == 400
    assert "There is no check coffee." in response.json()["error"]
