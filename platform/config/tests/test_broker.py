"""The embedded broker with a real Celery worker in this process."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator

import pytest
from celery import Celery
from celery.exceptions import DuplicateTaskNameWarning  # type: ignore[attr-defined]  # newer than the stubs
from kombu import Connection

from config.embedded.broker import Bell, Channel
from config.embedded.worker import EmbeddedWorker

ROUNDS = 30


class Tasks:
    """An app of its own with one task, which tells that it ran."""

    def __init__(self) -> None:
        self.app = Celery("broker-test", broker="embedded://localhost", set_as_current=False)
        self.app.conf.update(
            task_ignore_result=True,
            task_acks_late=True,
            task_default_queue="broker-test",
            worker_hijack_root_logger=False,
            worker_enable_remote_control=False,
            worker_prefetch_multiplier=1,
        )
        self.arrived = threading.Condition()
        self.numbers: list[int] = []

        @self.app.task(name="broker-test.note", shared=False)
        def note(number: int) -> None:
            with self.arrived:
                self.numbers.append(number)
                self.arrived.notify_all()

        self.task = note
        # Every app takes over the process's shared tasks, of which other tests may have made two of one name.
        with warnings.catch_warnings(action="ignore", category=DuplicateTaskNameWarning):
            self.app.finalize()

    def wait_for(self, count: int, timeout: float = 5.0) -> bool:
        with self.arrived:
            return self.arrived.wait_for(lambda: len(self.numbers) >= count, timeout)


@pytest.fixture
def tasks() -> Iterator[Tasks]:
    Channel.queues.pop("broker-test", None)
    yield Tasks()
    Channel.queues.pop("broker-test", None)


@pytest.fixture
def worker(tasks: Tasks) -> Iterator[EmbeddedWorker]:
    """One thread, so that the prefetch window is full after one task."""
    worker = EmbeddedWorker(tasks.app, threads=1)
    worker.start()
    yield worker
    worker.stop()


def test_an_idle_worker_runs_a_task_at_once(tasks: Tasks, worker: EmbeddedWorker) -> None:
    tasks.task.delay(0)
    assert tasks.wait_for(1)

    started = time.perf_counter()
    tasks.task.delay(1)

    assert tasks.wait_for(2)
    assert time.perf_counter() - started < 0.5


def test_acknowledging_wakes_the_consumer_whose_prefetch_window_is_full(tasks: Tasks, worker: EmbeddedWorker) -> None:
    started = time.perf_counter()
    for number in range(ROUNDS):
        tasks.task.delay(number)

    assert tasks.wait_for(ROUNDS)
    assert sorted(tasks.numbers) == list(range(ROUNDS))
    # Polling once a second, or looking again only after the two seconds of a drain, would take far longer.
    assert time.perf_counter() - started < 3


def test_what_was_enqueued_before_the_worker_started_is_run(tasks: Tasks) -> None:
    tasks.task.delay(7)
    worker = EmbeddedWorker(tasks.app, threads=2)
    worker.start()

    assert tasks.wait_for(1)
    assert worker.stop() is True
    assert tasks.numbers == [7]


def test_an_idle_worker_stops_at_once_and_says_so(tasks: Tasks) -> None:
    worker = EmbeddedWorker(tasks.app, threads=2)
    worker.start()
    assert worker.is_alive
    started = time.perf_counter()

    assert worker.stop() is True

    assert time.perf_counter() - started < 2
    assert not worker.is_alive
    assert EmbeddedWorker.running is None


def test_a_task_that_does_not_end_bounds_the_stop(tasks: Tasks) -> None:
    begun, release = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        release.wait(10)

    stuck = tasks.app.task(name="broker-test.hang", shared=False)(hang)
    worker = EmbeddedWorker(tasks.app, threads=1)
    worker.start()
    stuck.delay()
    assert begun.wait(5)

    assert worker.stop(timeout=0.2) is False

    release.set()


def test_an_idle_worker_costs_next_to_no_processor_time(tasks: Tasks, worker: EmbeddedWorker) -> None:
    tasks.task.delay(0)
    assert tasks.wait_for(1)
    quiet = threading.Event()

    before = time.process_time()
    quiet.wait(0.5)

    assert time.process_time() - before < 0.025


def test_a_drain_without_messages_ends_with_its_timeout() -> None:
    with Connection("embedded://localhost") as connection:
        connection.channel()

        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=0.01)


def test_no_ring_between_looking_and_waiting_is_missed() -> None:
    bell = Bell()
    seen = bell.rings
    bell.ring()

    assert bell.wait(seen, timeout=0) is True
    assert bell.wait(bell.rings, timeout=0) is False
