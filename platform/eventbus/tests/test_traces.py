"""Tracing one request through everything that came of it."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.db.models.functions import Now
from pytest_django import DjangoAssertNumQueries

from contracts import AnswerEvent, ReportEvent
from eventbus import NeverRetry, erase, moments, publish, subscribe, traces
from eventbus.context import correlation_id, request_arrived
from eventbus.deliveries import drain_all
from eventbus.models import Delivery, Event, Moment
from eventbus.sweeper import Sweeper
from eventbus.tests.making import commit, evaluated, saved
from eventbus.timeline import rows_of
from eventbus.traces import milliseconds, trace

pytestmark = pytest.mark.django_db(transaction=True)


def request_of(event: AnswerEvent) -> UUID:
    """Publish it in a request of its own, deliver all, and give the request's id."""
    request_id = uuid4()
    token = correlation_id.set(request_id)
    commit(event)
    correlation_id.reset(token)
    drain_all()
    return request_id


def test_a_trace_leads_from_the_first_event_to_the_last_delivery() -> None:
    subscribe(AnswerEvent, name="test.evaluate")(lambda event: publish(evaluated(event)))
    subscribe(ReportEvent, name="test.store")(lambda event: None)
    commit(saved())
    request_id = request_of(saved())
    found = trace(request_id)
    assert found is not None
    assert [(step.kind, step.title, step.status) for step in found.steps] == [
        ("event", "AnswerEvent /answers", ""),
        ("delivery", "test.evaluate", "done"),
        ("event", "ReportEvent /security", ""),
        ("delivery", "test.store", "done"),
    ]
    first, evaluate, second, store = found.steps
    assert first.starts == timedelta(0)
    assert evaluate.waited is not None
    assert evaluate.worked is not None
    assert evaluate.claimed is not None
    assert evaluate.ends is not None
    assert evaluate.claimed <= second.starts <= evaluate.ends
    assert store.ends == found.lasts


def test_times_are_counted_from_falling_due_and_from_the_claim() -> None:
    subscribe(AnswerEvent, name="test.trace")(lambda event: None)
    request_id = request_of(saved())
    begin = Event.objects.get().created_at
    ms = timedelta(milliseconds=1)
    Delivery.objects.update(
        created_at=begin, due_at=begin + 10 * ms, claimed_at=begin + 30 * ms, finished_at=begin + 50 * ms
    )
    found = trace(request_id)
    assert found is not None
    step = found.steps[1]
    assert (step.waited, step.worked, step.ends, found.lasts) == (20 * ms, 20 * ms, 50 * ms, 50 * ms)
    bars = [(bar.x, bar.width, bar.kind) for row in rows_of(found) for bar in row.bars]
    assert bars == [("0.0", "4.0", "event"), ("0.0", "600.0", "waited"), ("600.0", "400.0", "done")]


def arrived(*events: AnswerEvent, seconds_ago: float) -> UUID:
    """Publish them in one request that arrived so long ago, deliver all, and give the request's id."""
    token = request_arrived.set(time.monotonic() - seconds_ago)
    request_id = uuid4()
    correlation = correlation_id.set(request_id)
    commit(*events)
    correlation_id.reset(correlation)
    request_arrived.reset(token)
    drain_all()
    return request_id


def test_a_trace_begins_with_the_arrival_of_the_request_by_the_databases_clock() -> None:
    subscribe(AnswerEvent, name="test.evaluate")(lambda event: publish(evaluated(event)))
    subscribe(ReportEvent, name="test.store")(lambda event: None)
    request_id = arrived(saved(), saved(), seconds_ago=7)
    found = trace(request_id)
    assert found is not None
    kinds = [(step.kind, step.title) for step in found.steps if step.kind != "delivery"]
    assert kinds == [
        ("request", "Request arrived"),
        ("event", "AnswerEvent /answers"),
        ("event", "AnswerEvent /answers"),
        ("event", "ReportEvent /security"),
        ("event", "ReportEvent /security"),
    ]
    assert found.steps[0].starts == timedelta(0)
    assert timedelta(seconds=7) <= found.steps[1].starts <= found.lasts
    assert [event.requested_at is None for event in Event.objects.order_by("pk")] == [False, False, True, True]


def test_what_a_handler_publishes_in_a_request_has_no_request_of_its_own() -> None:
    token = request_arrived.set(time.monotonic())
    subscribe(AnswerEvent, name="test.evaluate")(lambda event: publish(evaluated(event)))
    commit(saved())
    drain_all()
    request_arrived.reset(token)
    assert [event.requested_at is None for event in Event.objects.order_by("pk")] == [False, True]


def test_a_second_request_of_the_same_id_is_seen_to_be_one() -> None:
    request_id = arrived(saved(), seconds_ago=0)
    later = arrived(saved(), seconds_ago=0)
    Event.objects.filter(correlation_id=later).update(
        correlation_id=request_id,
        created_at=Now() + timedelta(seconds=60),
        requested_at=Now() + timedelta(seconds=59),
    )
    found = trace(request_id)
    assert found is not None
    assert [step.kind for step in found.steps] == ["request", "event", "request", "event"]


def test_a_moment_is_written_by_the_next_sweep_with_the_time_at_which_it_was_noted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(traces, "_moments", {})
    traces.explain_moment("test.pushed", "Pushed", "when it was handed over")
    event = saved()
    request_id = request_of(event)
    with monkeypatch.context() as earlier:
        earlier.setattr(time, "monotonic", lambda now=time.monotonic: now() - 30)  # noted half a minute ago
        moments.note("test.pushed", event.id)
    moments.note("test.pushed", uuid4())  # of an event that is not there: rolled back, or pruned
    begun = trace(request_id)
    assert begun is not None
    assert [step.kind for step in begun.steps] == ["event"]
    Event.objects.update(created_at=Now() - timedelta(seconds=40))
    Sweeper().sweep_once()
    found = trace(request_id)
    assert found is not None
    step = found.steps[1]
    assert (step.kind, step.title, step.meaning) == ("moment", "Pushed", "when it was handed over")
    assert timedelta(seconds=5) < step.starts < timedelta(seconds=15)
    assert found.lasts == step.starts
    assert Moment.objects.count() == 1


def test_without_a_moment_a_sweep_asks_for_none(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        moments.write()


def test_a_dead_one_says_why_and_an_erased_event_that_it_was() -> None:
    @subscribe(AnswerEvent, name="test.fail")
    def fail(event: AnswerEvent) -> None:
        raise NeverRetry("no room")

    event = saved()
    request_id = request_of(event)
    erase(event.key)
    found = trace(request_id)
    assert found is not None
    assert [step.status for step in found.steps] == ["erased", "dead"]
    assert found.steps[1].error.startswith("NeverRetry: no room")


def test_what_was_not_claimed_yet_has_no_end() -> None:
    subscribe(AnswerEvent, name="test.trace")(lambda event: None)
    with transaction.atomic():
        publish(saved())
    found = trace(Event.objects.get().correlation_id)
    assert found is not None
    step = found.steps[1]
    assert (step.status, step.waited, step.worked, step.ends) == ("ready", None, None, None)


def test_an_app_may_say_what_an_event_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "_meanings", {})
    traces.explain("AnswerEvent", "answers", "somebody answered")
    found = trace(request_of(saved()))
    assert found is not None
    assert found.steps[0].meaning == "somebody answered"


def test_a_long_trace_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "LONGEST", 2)
    request_id = uuid4()
    commit(saved(), saved(), saved())
    Event.objects.update(correlation_id=request_id, created_at=Now())
    found = trace(request_id)
    assert found is not None
    assert (len(found.steps), found.cut) == (2, True)


def test_an_id_that_nothing_carries_has_no_trace() -> None:
    assert trace(uuid4()) is None


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (None, ""),
        (timedelta(0), "0.0 ms"),
        (timedelta(microseconds=12340), "12.3 ms"),
        (timedelta(seconds=75), "75.00 s"),
    ],
)
def test_spans_are_written_as_people_read_them(span: timedelta | None, text: str) -> None:
    assert milliseconds(span) == text
