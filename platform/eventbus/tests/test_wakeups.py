"""Wake-ups: sent after the commit, never missed when lost, never in the way of a request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from unittest.mock import Mock

import pytest
from celery import Celery
from celery.app import app_or_default
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from kombu.exceptions import OperationalError

from contracts import AnswerEvent, ReportEvent
from eventbus import messages as messages_module
from eventbus import metrics, publish, statements, subscribe
from eventbus.deliveries import drain, sweep
from eventbus.models import Delivery
from eventbus.tests.making import commit, effect, effects, evaluated, saved
from eventbus.wakeups import Breaker, Wakeup, breaker, enqueue

pytestmark = pytest.mark.django_db(transaction=True)


def trace(event: AnswerEvent) -> None:
    effect(event.answer.revision)


@pytest.fixture
def broker() -> Iterator[Celery]:
    """The embedded broker with nothing in its queue."""
    app = app_or_default()
    app.control.purge()
    yield app
    app.control.purge()


@pytest.fixture
def dead_broker() -> Iterator[Celery]:
    """Nobody listens there."""
    product, app = app_or_default(), Celery("test", broker="amqp://127.0.0.1:1//", set_as_current=False)
    app.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    app.set_current()
    app.finalize()
    yield app
    app.close()
    product.set_current()


def messages(app: Celery) -> list[tuple[str, list[int]]]:
    """Name and arguments of the tasks in the default queue."""
    found = []
    with app.connection_for_read() as broker, broker.SimpleQueue("celery") as queue:
        while len(queue):
            message = queue.get(block=False)
            message.ack()
            found.append((message.headers["task"], message.payload[0]))
    return found


def test_a_commit_enqueues_one_task_for_each_subscriber(broker: Celery) -> None:
    subscribe(AnswerEvent, name="test.one")(trace)
    subscribe(AnswerEvent, name="test.two")(trace)
    with transaction.atomic():
        publish(saved())
        assert messages(broker) == []
    ids = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
    assert messages(broker) == [("test.one", [ids[0]]), ("test.two", [ids[1]])]


def test_the_task_of_the_subscribers_name_delivers(broker: Celery) -> None:
    subscribe(AnswerEvent, name="test.one")(trace)
    commit(saved())
    broker.tasks["test.one"](Delivery.objects.get().pk)
    assert effects() == ["1"]


def test_a_follow_up_that_is_delivered_inline_is_not_enqueued(broker: Celery) -> None:
    subscribe(AnswerEvent, name="test.evaluate")(lambda event: publish(evaluated(event)))
    subscribe(ReportEvent, name="test.store")(lambda event: effect("stored"))
    commit(saved())
    messages(broker)
    drain("test.evaluate")
    assert (effects(), messages(broker)) == (["stored"], [])


def test_a_dead_broker_does_not_fail_what_was_committed(dead_broker: Celery) -> None:
    subscribe(AnswerEvent, name="test.one")(trace)
    with pytest.raises(OperationalError):
        dead_broker.tasks["test.one"].apply_async((1,), retry=False)
    commit(saved())
    assert metrics.snapshot() == {"published": 1, "enqueue_failed": 1}
    assert sweep() == 1
    assert effects() == ["1"]


def test_after_a_failure_the_broker_is_left_alone_for_a_while(dead_broker: Celery) -> None:
    subscribe(AnswerEvent, name="test.one")(trace)
    commit(saved(), saved(), saved())
    assert metrics.snapshot() == {"published": 3, "enqueue_failed": 1, "enqueue_withheld": 2}
    breaker.reset()
    commit(saved())
    assert metrics.snapshot()["enqueue_failed"] == 2


def test_the_breaker_closes_by_itself() -> None:
    quick = Breaker(seconds=0)
    quick.trip()
    assert not quick.is_open
    slow = Breaker(seconds=60)
    slow.trip()
    assert slow.is_open


def test_a_thread_of_the_web_server_uses_the_products_broker(broker: Celery) -> None:
    subscribe(AnswerEvent, name="test.one")(trace)
    sent = []

    def request() -> None:
        sent.append(enqueue(Wakeup("test.one", 7)))
        connection.close()

    thread = threading.Thread(target=request)
    thread.start()
    thread.join()
    assert sent == [True]
    assert messages(broker) == [("test.one", [7])]


def test_wake_ups_are_what_celery_would_have_sent(broker: Celery) -> None:
    subscribe(AnswerEvent, name="test.one")(trace)
    sent: list[dict[str, object]] = []
    with broker.connection_for_read() as link, link.SimpleQueue("celery") as queue:
        broker.tasks["test.one"].apply_async((7,), ignore_result=True)
        enqueue(Wakeup("test.one", 7))
        for _ in range(2):
            message = queue.get(block=False)
            message.ack()
            own = ("id", "root_id", "timelimit")  # a worker takes the task's own time limit where the message has none
            headers = {name: value for name, value in message.headers.items() if name not in own}
            sent.append({"headers": headers, "payload": message.payload, "type": message.content_type})
    assert sent[0] == sent[1]


def test_a_connection_that_broke_while_it_was_idle_costs_no_wake_up(
    broker: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(AnswerEvent, name="test.one")(trace)
    assert enqueue(Wakeup("test.one", 1))
    monkeypatch.setattr(messages_module.outlet._producer, "publish", Mock(side_effect=ConnectionResetError))
    assert enqueue(Wakeup("test.one", 2))
    assert messages(broker) == [("test.one", [1]), ("test.one", [2])]
    assert "enqueue_failed" not in metrics.snapshot()


@pytest.mark.sqlite
def test_a_wake_up_that_comes_while_another_thread_drains_is_that_threads() -> None:
    begun, go_on = threading.Event(), threading.Event()
    threads: set[int] = set()

    @subscribe(AnswerEvent, name="test.slow")
    def slow(event: AnswerEvent) -> None:
        threads.add(threading.get_ident())
        begun.set()
        assert go_on.wait(20)

    def wake_up(hint: int) -> None:
        try:
            app_or_default().tasks["test.slow"](hint)
        finally:
            connection.close()

    commit(saved(revision=1))
    first = threading.Thread(target=wake_up, args=(Delivery.objects.latest("pk").pk,))
    first.start()
    assert begun.wait(20)
    commit(saved(revision=2))
    app_or_default().tasks["test.slow"](Delivery.objects.latest("pk").pk)
    assert set(Delivery.objects.values_list("status", flat=True)) == {"leased", "ready"}
    go_on.set()
    first.join(20)
    assert set(Delivery.objects.values_list("status", flat=True)) == {"done"}
    assert threads == {first.ident}


@pytest.mark.sqlite
def test_a_drain_that_raises_keeps_no_later_wake_up_from_draining(monkeypatch: pytest.MonkeyPatch) -> None:
    subscribe(AnswerEvent, name="test.trace")(trace)
    commit(saved())
    wake = app_or_default().tasks["test.trace"]
    with monkeypatch.context() as broken:
        broken.setattr(statements, "claim", Mock(side_effect=DatabaseError))
        with pytest.raises(DatabaseError):
            wake(Delivery.objects.earliest("pk").pk)
    wake(None)
    assert effects() == ["1"]
