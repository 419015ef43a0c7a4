"""A worker of some queues delivers for their subscribers only; a process that ends gives back what it has not begun."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from contracts import AnswerEvent, ReportEvent
from eventbus import publish, scope, subscribe
from eventbus.deliveries import drain, sweep
from eventbus.models import Delivery
from eventbus.tasks import route
from eventbus.tests.making import commit, effect, effects, evaluated, let_leases_run_out, saved, statuses

pytestmark = pytest.mark.django_db(transaction=True)
A, B = UUID(int=0xA), UUID(int=0xB)


@pytest.fixture(autouse=True)
def _chain_of_two_queues() -> Iterator[None]:
    @subscribe(AnswerEvent, name="test.evaluate", queue="security")
    def evaluate(event: AnswerEvent) -> None:
        publish(evaluated(event))

    @subscribe(ReportEvent, name="test.store", queue="reports")
    def store(event: ReportEvent) -> None:
        effect(event.report.revision)

    yield
    scope.serve(None)
    scope.stopping.clear()


def test_a_wake_up_goes_to_its_subscribers_queue() -> None:
    subscribe(AnswerEvent, name="test.plain")(lambda event: None)
    assert [route(name) for name in ("test.evaluate", "test.plain", "celery.backend_cleanup")] == [
        {"queue": "security"},
        None,
        None,
    ]


def test_a_worker_of_one_queue_leaves_follow_ups_of_another_to_its_workers() -> None:
    scope.serve(["security"])
    commit(saved(A, 1))
    assert drain("test.evaluate") == 1
    assert statuses() == ["done", "ready"]


def test_a_worker_of_one_queue_sweeps_for_it_alone() -> None:
    commit(saved(A, 1))
    scope.serve(["reports"])
    assert sweep() == 0
    Delivery.objects.update(status="leased", lease_token=UUID(int=1), leased_until="2000-01-01T00:00Z")
    assert sweep() == 0
    scope.serve(["celery", "security", "reports"])
    let_leases_run_out()
    assert sweep() == 2
    assert effects() == ["1"]


def test_a_subscriber_without_a_queue_belongs_to_the_default_one() -> None:
    subscribe(AnswerEvent, name="test.plain")(lambda event: None)
    scope.serve([scope.DEFAULT_QUEUE])
    assert scope.served() == ["test.plain"]


def test_a_process_that_ends_finishes_the_delivery_at_hand_and_gives_back_the_others() -> None:
    scope.serve(["security"])
    commit(saved(A, 1), saved(B, 2))
    scope.stopping.set()
    assert drain("test.evaluate") == 1
    waiting = Delivery.objects.filter(subscriber="test.evaluate", status="ready")
    assert [delivery.attempts for delivery in waiting] == [0]
