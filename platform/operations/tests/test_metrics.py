"""`/metrics`: how much is done, how much waits, and who may know."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from channels.generic.websocket import AsyncWebsocketConsumer
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from eventbus import metrics, publish
from eventbus.dead_letters import redrive
from eventbus.models import Delivery, Replay, Status
from eventbus.pausing import pause
from eventbus.tests.making import saved
from operations import VERSION, counters, heartbeat
from operations.checks import check_events
from operations.models import WorkerProcess
from operations.sockets import CountedSockets
from throttling import metrics as throttled

pytestmark = pytest.mark.django_db

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(client: Client) -> Samples:
    """What Prometheus's own parser makes of it."""
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain")
    families = text_string_to_metric_families(response.content.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value for one in families for sample in one.samples
    }


def of(found: Samples, name: str, **labels: str) -> float:
    return found[name, tuple(sorted(labels.items()))]


def test_requests_are_counted_by_view_and_status_without_ids(client: Client, alice_client: Client) -> None:
    client.get("/")
    client.get("/")
    client.get("/nowhere/")
    number = uuid4()
    alice_client.get(f"/reports/{number}/")

    found = samples(client)

    assert of(found, "plumbline_http_requests_total", view="start", status="200") == 2
    assert of(found, "plumbline_http_requests_total", view="", status="404") == 1
    assert of(found, "plumbline_http_requests_total", view="report", status="404") == 1
    assert str(number) not in str(found)


def test_what_limits_refused_and_what_they_allowed_without_redis_is_told_by_bucket(client: Client) -> None:
    throttled.reset()
    throttled.count_refused("save-person")
    throttled.count_unanswered("save-organisation")

    found = samples(client)

    assert of(found, "plumbline_limits_refused_total", bucket="save-person") == 1
    assert of(found, "plumbline_limits_refused_total", bucket="submit-person") == 0
    assert of(found, "plumbline_limits_unanswered_total", bucket="save-organisation") == 1


def test_what_waits_is_told_for_each_subscriber(client: Client) -> None:
    publish(saved())
    publish(saved())
    first = Delivery.objects.earliest("pk")
    Delivery.objects.exclude(pk=first.pk).update(
        created_at=Now() - timedelta(seconds=100), due_at=Now() - timedelta(seconds=40)
    )
    Delivery.objects.filter(pk=first.pk).finish(Status.DEAD, "no")

    found = samples(client)

    assert of(found, "plumbline_deliveries_ready", subscriber="security.evaluate") == 1
    assert of(found, "plumbline_deliveries_dead", subscriber="security.evaluate") == 1
    assert of(found, "plumbline_deliveries_ready", subscriber="reports.store") == 0
    assert 100 <= of(found, "plumbline_oldest_undelivered_seconds", subscriber="security.evaluate") < 110
    assert 40 <= of(found, "plumbline_delivery_lag_seconds", subscriber="security.evaluate") < 50


OLDEST = "plumbline_oldest_undelivered_seconds"


def test_a_redriven_or_replayed_delivery_is_as_old_as_that_in_the_metrics_and_the_health_check(client: Client) -> None:
    publish(saved())
    publish(saved())
    Delivery.objects.update(created_at=Now() - timedelta(days=3))
    dead, replayed = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=dead.pk).finish(Status.DEAD, "no")
    redrive(Delivery.objects.filter(pk=dead.pk), "Ada")
    turn = Now() - timedelta(seconds=40)
    Delivery.objects.filter(pk=replayed.pk).update(generation=1, due_at=turn, age_from=turn)

    assert 40 <= of(samples(client), OLDEST, subscriber="security.evaluate") < 100
    assert 40 <= check_events().numbers["oldest_seconds"] < 100

    Delivery.objects.filter(pk=replayed.pk).update(age_from=Now() + timedelta(hours=1))
    Delivery.objects.filter(pk=dead.pk).finish(Status.DONE)
    assert of(samples(client), OLDEST, subscriber="security.evaluate") == 0
    assert check_events().numbers["oldest_seconds"] == 0


def test_what_waits_for_a_paused_subscriber_alarms_nobody(client: Client) -> None:
    publish(saved())
    Delivery.objects.update(created_at=Now() - timedelta(days=3), due_at=Now() - timedelta(days=3))
    pause("security.evaluate", "Ada")
    found = samples(client)
    assert of(found, OLDEST, subscriber="security.evaluate") == 0
    assert of(found, "plumbline_delivery_lag_seconds", subscriber="security.evaluate") >= 3 * 86_400


def test_replays_that_are_under_way_are_told_by_their_state(client: Client) -> None:
    orders = [Replay.objects.create(rate=1, started_by="Ada") for _ in range(2)]
    publish(saved())
    Delivery.objects.update(generation=orders[0].pk)
    Replay.objects.filter(pk=orders[0].pk).update(cancelled_at=Now())
    found = samples(client)
    states = ("making", "delivering", "cancelling")
    assert [of(found, "plumbline_replays", state=each) for each in states] == [1, 0, 1]
    Replay.objects.update(finished_at=Now(), cancelled_at=None)
    found = samples(client)
    assert [of(found, "plumbline_replays", state=each) for each in states] == [0, 1, 0]


def test_the_workers_counters_come_through_their_heartbeat(client: Client) -> None:
    WorkerProcess.objects.create(
        name="w:7", sweeps=True, counters={"swept": 5, "done": 9}, deliveries=[["reports.store", "done", 9]]
    )
    metrics.count("published")
    metrics.count_delivery("retried", "security.evaluate")
    here = heartbeat.name_of_process()

    found = samples(client)

    assert of(found, "plumbline_deliveries_total", subscriber="reports.store", outcome="done", process="w:7") == 9
    assert of(found, "plumbline_deliveries_total", subscriber="security.evaluate", outcome="retried", process=here) == 1
    assert of(found, "plumbline_events_swept_total", process="w:7") == 5
    assert of(found, "plumbline_events_published_total", process=here) == 1
    assert of(found, "plumbline_workers") == 1


def test_processes_are_counted_by_their_version(client: Client) -> None:
    for name, version in (("old:1", ""), ("new:1", VERSION), ("new:2", VERSION)):
        WorkerProcess.objects.create(name=name, version=version)
    WorkerProcess.objects.create(name="gone:1", version="0.1.9", beaten_at=Now() - timedelta(seconds=61))

    found = samples(client)

    assert [of(found, "plumbline_processes", version=each) for each in ("", VERSION)] == [1, 2]
    assert "0.1.9" not in client.get("/metrics").content.decode()


@pytest.mark.django_db(transaction=True)
def test_what_an_operator_does_at_a_terminal_is_counted_though_that_process_ends(client: Client) -> None:
    with transaction.atomic():
        publish(saved())
    Delivery.objects.all().finish(Status.DEAD, "no")
    call_command("bus", "redrive", "--all", stdout=StringIO())
    metrics.reset()  # another process is asked

    (row,) = WorkerProcess.objects.all()
    WorkerProcess.objects.update(name="terminal:7")

    assert (row.sweeps, row.counters["redriven"]) == (False, 1)
    assert of(samples(client), "plumbline_deliveries_redriven_total", process="terminal:7") == 1


@pytest.mark.parametrize(
    ("counter", "name"),
    [
        ("replayed", "plumbline_deliveries_replayed_total"),
        ("pruned_deliveries", "plumbline_deliveries_pruned_total"),
        ("pruned_events", "plumbline_events_pruned_total"),
    ],
)
def test_replays_and_retention_are_counted(client: Client, counter: str, name: str) -> None:
    metrics.count(counter, 3)
    assert of(samples(client), name, process=heartbeat.name_of_process()) == 3


async def _run(consumer: type[AsyncWebsocketConsumer], messages: list[dict[str, str]]) -> list[int]:
    """Let a socket live through these messages; gives how many were open at the end of each of its own."""
    counted: list[int] = []

    async def receive() -> dict[str, str]:
        return messages.pop(0)

    async def send(message: object) -> None:
        # Counted once the server has the message, which is after this returns.
        asyncio.get_running_loop().call_soon(lambda: counted.append(counters.open_sockets()))

    await CountedSockets(consumer.as_asgi())({"type": "websocket"}, receive, send)
    return counted


async def test_a_socket_counts_while_it_is_open() -> None:
    class Greeting(AsyncWebsocketConsumer):
        async def connect(self) -> None:
            await self.accept()
            await asyncio.sleep(0)

    counted = await _run(Greeting, [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": "1000"}])
    assert (counted, counters.open_sockets()) == ([1], 0)


async def test_a_refused_socket_never_counts() -> None:
    class Refusing(AsyncWebsocketConsumer):
        async def connect(self) -> None:
            await self.close()
            await asyncio.sleep(0)

    counted = await _run(Refusing, [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": "1000"}])
    assert (counted, counters.open_sockets()) == ([0], 0)


def test_open_sockets_and_the_version_are_shown(client: Client) -> None:
    found = samples(client)
    assert of(found, "plumbline_websockets_open") == 0
    assert of(found, "plumbline_info", version=VERSION) == 1
    assert of(found, "plumbline_database_up") == 1


def test_without_the_database_the_rest_still_comes(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise OperationalError

    client.get("/")
    monkeypatch.setattr(connection, "cursor", gone)
    found = samples(client)
    assert of(found, "plumbline_database_up") == 0
    assert of(found, "plumbline_http_requests_total", view="start", status="200") == 1


@pytest.mark.parametrize("headers", [{"X-Forwarded-For": "192.0.2.1"}, {"Forwarded": "for=192.0.2.1"}])
def test_what_a_proxy_passes_on_is_refused_without_a_token(client: Client, headers: dict[str, str]) -> None:
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 403
    assert "METRICS_TOKEN" in response.json()["error"]


def test_another_machine_is_refused_without_a_token(client: Client) -> None:
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.1").status_code == 403


def test_with_a_token_it_is_what_counts_from_everywhere(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "opensesame"

    def ask(authorization: str) -> int:
        return client.get("/metrics", REMOTE_ADDR="192.0.2.1", headers={"Authorization": authorization}).status_code

    assert [ask("Bearer opensesame"), ask("bearer opensesame")] == [200, 200]
    assert [ask(each) for each in ("Bearer wrong", "opensesame", "", "Basic opensesame")] == [401] * 4
    assert client.get("/metrics").status_code == 401
