"""One id from the request to the last follow-up."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import AsyncRequestFactory, RequestFactory

from contracts import AnswerEvent, ReportEvent
from eventbus import publish, subscribe
from eventbus.context import causation_id, correlation_id
from eventbus.deliveries import drain_all
from eventbus.middleware import CorrelationMiddleware
from eventbus.models import Event
from eventbus.tests.making import evaluated, saved


@pytest.mark.django_db(transaction=True)
def test_follow_ups_inherit_the_requests_id_and_name_their_cause() -> None:
    subscribe(AnswerEvent, name="test.evaluate")(lambda event: publish(evaluated(event)))
    seen = []
    subscribe(ReportEvent, name="test.store")(lambda event: seen.append((correlation_id.get(), causation_id.get())))
    request_id, event = uuid4(), saved()
    token = correlation_id.set(request_id)
    with transaction.atomic():
        publish(event)
    correlation_id.reset(token)
    drain_all()
    first, second = Event.objects.order_by("pk")
    assert (first.correlation_id, first.causation_id) == (request_id, None)
    assert (second.correlation_id, second.causation_id) == (request_id, event.id)
    assert seen == [(request_id, second.uuid)]
    assert (correlation_id.get(), causation_id.get()) == (None, None)


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_of_requests_starts_a_correlation_of_its_own() -> None:
    with transaction.atomic():
        publish(saved())
        publish(saved())
    assert len(set(Event.objects.values_list("correlation_id", flat=True))) == 2


def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(correlation_id.get()))


async def answer_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(correlation_id.get()))


def test_a_request_gets_an_id_that_is_answered() -> None:
    response = CorrelationMiddleware(answer)(RequestFactory().get("/"))
    assert isinstance(response, HttpResponse)
    assert UUID(response.headers["X-Request-ID"]) == UUID(response.content.decode())
    assert correlation_id.get() is None


def test_a_uuid_that_the_client_sends_is_used() -> None:
    sent = str(uuid4())
    response = CorrelationMiddleware(answer)(RequestFactory().get("/", headers={"X-Request-ID": sent}))
    assert isinstance(response, HttpResponse)
    assert (response.headers["X-Request-ID"], response.content.decode()) == (sent, sent)


@pytest.mark.parametrize("sent", ["", "1", "{12345678-1234-5678-1234-567812345678}", "x" * 36, "1234567812345678" * 2])
def test_anything_else_that_the_client_sends_is_not(sent: str) -> None:
    response = CorrelationMiddleware(answer)(RequestFactory().get("/", headers={"X-Request-ID": sent}))
    assert isinstance(response, HttpResponse)
    assert response.headers["X-Request-ID"] != sent
    assert str(UUID(response.headers["X-Request-ID"])) == response.headers["X-Request-ID"]


async def test_asynchronous_requests_get_one_too() -> None:
    sent = str(uuid4())
    middleware = CorrelationMiddleware(answer_async)
    waiting = middleware(AsyncRequestFactory().get("/", headers={"X-Request-ID": sent}))
    assert not isinstance(waiting, HttpResponse)
    response = await waiting  # type: ignore[misc]
    assert (response.headers["X-Request-ID"], response.content.decode()) == (sent, sent)
    assert correlation_id.get() is None
