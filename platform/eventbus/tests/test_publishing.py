"""Publishing: all or nothing, checked before anything is written."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from contracts import AnswerEvent, ContractError, ReportEvent, event_from_cloudevent
from eventbus import metrics, publish, subscribe
from eventbus.models import Delivery, Event
from eventbus.signals import published
from eventbus.tests.making import ACME, commit, evaluated, saved

pytestmark = pytest.mark.django_db(transaction=True)


def ignore(event: object) -> None:
    """A handler without effects."""


def test_a_commit_stores_the_event_and_one_delivery_for_each_subscriber_that_wants_it() -> None:
    subscribe(AnswerEvent, name="test.one")(ignore)
    subscribe(AnswerEvent, name="test.two", source="answers")(ignore)
    subscribe(AnswerEvent, name="test.elsewhere", source="imports")(ignore)
    subscribe(ReportEvent, name="test.reports")(ignore)
    event = saved()
    commit(event)
    row = Event.objects.get()
    assert (row.uuid, row.type, row.source, row.key) == (event.id, "AnswerEvent", "answers", event.key)
    assert (row.organisation, row.supersedable, row.erased_at) == (ACME, True, None)
    assert sorted(Delivery.objects.values_list("subscriber", "key", "status", "attempts", "generation")) == [
        ("test.one", event.key, "ready", 0, 0),
        ("test.two", event.key, "ready", 0, 0),
    ]


def test_a_rollback_leaves_nothing_and_wakes_nobody() -> None:
    subscribe(AnswerEvent, name="test.one")(ignore)
    with transaction.atomic():
        publish(saved())
        transaction.set_rollback(True)
    assert (Event.objects.count(), Delivery.objects.count()) == (0, 0)
    assert metrics.snapshot() == {}


def test_publishing_outside_a_transaction_is_refused() -> None:
    with pytest.raises(TransactionManagementError, match=r"transaction\.atomic"):
        publish(saved())
    assert Event.objects.count() == 0


def test_a_broken_contract_is_refused_before_anything_is_written() -> None:
    good = saved()
    bad = replace(good, answer=replace(good.answer, revision=0))
    with transaction.atomic(), CaptureQueriesContext(connection) as statements:
        with pytest.raises(ContractError, match=r"answer\.revision"):
            publish(bad)
        assert len(statements) == 0


def test_what_is_stored_reads_back_as_the_same_fact() -> None:
    correlation = uuid4()
    event = replace(saved(), correlation_id=correlation)
    commit(event)
    assert event_from_cloudevent(Event.objects.get().payload) == event


def test_an_event_without_subscribers_is_stored_all_the_same() -> None:
    commit(saved())
    assert (Event.objects.count(), Delivery.objects.count()) == (1, 0)


def test_the_signal_names_the_events_class_and_its_wakeups() -> None:
    subscribe(AnswerEvent, name="test.one")(ignore)
    seen = []

    def receive(sender: object, **arguments: object) -> None:
        seen.append((sender, arguments["event"], [wakeup.subscriber for wakeup in arguments["wakeups"]]))  # type: ignore[attr-defined]

    published.connect(receive)
    try:
        event = replace(evaluated(saved()), correlation_id=uuid4())
        subscribe(ReportEvent, name="test.reports", source="security")(ignore)
        with transaction.atomic():
            publish(event)
    finally:
        published.disconnect(receive)
    assert seen == [(ReportEvent, event, ["test.reports"])]


def test_a_name_is_given_away_once() -> None:
    subscribe(AnswerEvent, name="test.one")(ignore)
    with pytest.raises(ValueError, match="is taken"):
        subscribe(ReportEvent, name="test.one")(ignore)


@pytest.mark.parametrize("name", ["store", "reports.", "reports store", ""])
def test_a_name_that_is_not_app_and_verb_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"app\.verb"):
        subscribe(AnswerEvent, name=name)(ignore)


def test_publishing_costs_two_statements_in_the_callers_transaction() -> None:
    subscribe(AnswerEvent, name="test.one")(ignore)
    subscribe(AnswerEvent, name="test.two")(ignore)
    with transaction.atomic(), CaptureQueriesContext(connection) as statements:
        publish(saved())
    # On SQLite the block begins with its first statement.
    told = [query["sql"].split(maxsplit=3)[:3] for query in statements.captured_queries]
    assert [each for each in told if each[0] != "BEGIN"] == [
        ["INSERT", "INTO", "eventbus_event"],
        ["INSERT", "INTO", "eventbus_delivery"],
    ]
