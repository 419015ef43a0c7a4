"""`/health/ready`: what works, what does not, and what to do about it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import patch

import pytest
from celery import current_app
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from config.embedded.worker import EmbeddedWorker
from contracts import AnswerEvent
from eventbus import publish
from eventbus.models import Delivery, Status
from eventbus.pausing import pause
from eventbus.tests.making import saved
from mailing.posting import post
from operations import checks, heartbeat, looking, unapplied, views
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
    views._states.clear()
    looking.forget()
    yield
    views._states.clear()
    looking.forget()


@pytest.fixture(autouse=True)
def _each_time_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "KEEP", 0.0)


def test_everything_works(client: Client, worker: None) -> None:
    response = client.get("/health/ready")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "checks": {
            "database": WELL,
            "schema": WELL,
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
        "fix": "Start one: manage.py up, or in production deploy/run worker. Nothing is lost until then.",
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
        "fix": "Start Plumbline again. Nothing is lost until then.",
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


def test_dead_deliveries_degrade_it_and_are_counted_without_ids(
    client: Client, worker: None, caplog: pytest.LogCaptureFixture
) -> None:
    event: AnswerEvent = saved()
    publish(event)
    Delivery.objects.all().finish(Status.DEAD, "no")

    for _probe in range(2):
        response = client.get("/health/ready")

    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    found = response.json()["checks"]["events"]
    dead = Delivery.objects.count()
    assert found == {
        "ok": True,
        "degraded": True,
        "oldest_seconds": 0.0,
        "undelivered": 0,
        "overdue": 0,
        "dead": dead,
        "problem": "deliveries were given up",
        "fix": "Administration, Dead letters, or manage.py bus dead, says why; mend that, then redrive them.",
    }
    assert event.key not in response.content.decode()
    Delivery.objects.all().delete()
    assert client.get("/health/ready").json()["status"] == "ok"
    assert [record.getMessage() for record in caplog.records] == [
        "the check events is degraded: deliveries were given up",
        "the check events is well again",
    ]


def test_mails_that_wait_too_long_degrade_it_and_lead_nobody_away(client: Client, worker: None) -> None:
    post("zoe@example.org", "Your code", "AB12-CD34", kind="code")
    assert client.get("/health/ready").json()["status"] == "ok"
    Delivery.objects.update(created_at=Now() - timedelta(hours=1))

    response = client.get("/health/ready")

    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["checks"]["events"]["fix"].endswith("check the mail server and EMAIL_URL.")
    pause("mailing.send", by="Ada")
    assert client.get("/health/ready").json()["status"] == "ok"


def test_what_fails_counts_more_than_what_is_degraded(client: Client) -> None:
    publish(saved())
    Delivery.objects.all().finish(Status.DEAD, "no")

    response = client.get("/health/ready")  # no worker either

    assert (response.status_code, response.json()["status"]) == (503, "failing")


def test_tables_that_are_behind_are_noticed_and_what_to_do(client: Client, worker: None) -> None:
    MigrationRecorder(connection).record_unapplied("reports", "0001_initial")
    MigrationRecorder(connection).record_unapplied("eventbus", "0002_operating")

    response = client.get("/health/ready")

    assert response.status_code == 503
    assert response.json()["checks"]["schema"] == {
        "ok": False,
        "missing": 2,
        "problem": "the tables are behind this version of Plumbline",
        "fix": "Run manage.py migrate (deploy/run release does): it is part of every upgrade.",
    }
    for app, name in (("reports", "0001_initial"), ("eventbus", "0002_operating")):
        MigrationRecorder(connection).record_applied(app, name)
    assert client.get("/health/ready").status_code == 200


def test_tables_of_a_newer_version_are_no_lack(client: Client) -> None:
    MigrationRecorder(connection).record_applied("reports", "0999_of_a_later_version")

    assert client.get("/health/ready?check=schema").status_code == 200


def test_that_no_table_is_missing_is_asked_once_a_minute(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/health/ready?check=schema").status_code == 200
    with CaptureQueriesContext(connection) as asked:
        assert client.get("/health/ready?check=schema").status_code == 200
    assert len(asked) == 0

    MigrationRecorder(connection).record_unapplied("reports", "0001_initial")
    now = time.monotonic()
    monkeypatch.setattr("operations.unapplied.time.monotonic", lambda: now + unapplied.TRUST_SECONDS)
    assert client.get("/health/ready?check=schema").status_code == 503


def test_a_broker_that_is_away_is_named_and_its_password_is_not(
    client: Client, worker: None, dead_broker: None, caplog: pytest.LogCaptureFixture
) -> None:
    response = client.get("/health/ready")

    assert response.status_code == 503
    found = response.json()["checks"]
    assert [name for name, each in found.items() if not each["ok"]] == ["broker"]
    assert found["broker"]["fix"] == "Start Redis, and check REDIS_URL. Nothing is lost until then."
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
    assert [name for name, each in found.items() if not each["ok"]] == ["database", "schema", "workers", "events"]
    assert "/srv" not in response.content.decode()


def test_a_probe_may_ask_for_some_checks_only(client: Client) -> None:
    response = client.get("/health/ready?check=database&check=broker")

    assert response.status_code == 200
    assert response.json()["checks"] == {"database": WELL, "broker": WELL}


def test_a_check_that_does_not_exist_is_refused(client: Client) -> None:
    response = client.get("/health/ready?check=coffee")

    assert response.status_code == 400
    assert "There is no check coffee." in response.json()["error"]


STRANGER = {"X-Forwarded-For": "192.0.2.7"}


def test_a_stranger_learns_the_status_alone(client: Client, settings: Settings, worker: None) -> None:
    settings.METRICS_TOKEN = "t0ken"

    assert client.get("/health/ready", headers=STRANGER).json() == {"status": "ok"}
    assert client.get("/health/ready", REMOTE_ADDR="192.0.2.7").json() == {"status": "ok"}
    known = client.get("/health/ready", headers={**STRANGER, "Authorization": "Bearer t0ken"})
    assert set(known.json()["checks"]) == set(checks.CHECKS)
    wrong = client.get("/health/ready", headers={**STRANGER, "Authorization": "Bearer other"})
    assert wrong.json() == {"status": "ok"}


def test_a_stranger_sees_that_it_fails_and_not_why(client: Client, dead_broker: None) -> None:
    answer = client.get("/health/ready?check=broker", headers=STRANGER)

    assert (answer.status_code, answer.json()) == (503, {"status": "failing"})


def test_what_hangs_is_not_waited_for(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "DEADLINE", 0.05)
    goes_on = threading.Event()

    def hang() -> checks.Result:
        goes_on.wait(60)
        return checks.WELL

    with patch.dict(checks.CHECKS, broker=hang):
        answer = client.get("/health/ready?check=broker&check=database")
    was_waited_for = goes_on.is_set()
    goes_on.set()

    assert not was_waited_for
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == WELL
    assert answer.json()["checks"]["broker"]["problem"].startswith("it takes longer than")


def test_who_asks_often_is_told_what_was_found_just_now(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "KEEP", 60.0)
    looks = []

    def look() -> checks.Result:
        looks.append(1)
        return checks.WELL

    with patch.dict(checks.CHECKS, broker=look):
        for _probe in range(20):
            assert client.get("/health/ready?check=broker").status_code == 200

    assert len(looks) == 1


def test_while_somebody_looks_others_are_told_what_was_found_before(client: Client) -> None:
    assert client.get("/health/ready?check=broker").status_code == 200
    with looking._looking, patch.dict(checks.CHECKS, broker=lambda: checks.Result(ok=False)):
        assert client.get("/health/ready?check=broker").status_code == 200
    with patch.dict(checks.CHECKS, broker=lambda: checks.Result(ok=False)):
        assert client.get("/health/ready?check=broker").status_code == 503
