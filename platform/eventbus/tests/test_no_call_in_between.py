"""The guard of all tests: a connection to the outside world fails the test where somebody would have to wait for it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from contracts import AnswerEvent
from eventbus import subscribe
from eventbus.deliveries import drain_all
from eventbus.middleware import CorrelationMiddleware
from eventbus.tests.making import commit, saved, statuses
from tests.network import CalledOut, guard

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> Iterator[tuple[str, int]]:
    """A server outside, of which nobody has heard yet."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()


def connect(address: tuple[str, int]) -> None:
    socket.create_connection(address, timeout=5).close()


def caught() -> list[str]:
    return [told.partition(" opens ")[0] for told in guard.take()]


def test_an_ordinary_handler_that_calls_out_is_caught(world: tuple[str, int]) -> None:
    subscribe(AnswerEvent, name="test.trace")(lambda event: connect(world))
    commit(saved())
    drain_all()
    assert (caught(), statuses()) == (["a transaction"], ["ready"])


def test_a_request_that_calls_out_is_caught(world: tuple[str, int]) -> None:
    def page(request: HttpRequest) -> HttpResponse:
        connect(world)
        return HttpResponse()

    with pytest.raises(CalledOut, match="a request opens a connection"):
        CorrelationMiddleware(page)(RequestFactory().get("/"))
    assert caught() == ["a request"]


def test_a_transaction_that_calls_out_is_caught(world: tuple[str, int]) -> None:
    with pytest.raises(CalledOut), transaction.atomic():
        connect(world)
    assert caught() == ["a transaction"]


def test_a_handler_that_calls_out_may_and_what_stores_its_result_may_not(world: tuple[str, int]) -> None:
    def call(event: AnswerEvent, key: str) -> Callable[[], object]:
        connect(world)
        return lambda: connect(world)

    subscribe(AnswerEvent, name="test.call", outside=True)(call)
    commit(saved())
    drain_all()
    assert caught() == ["a transaction"]


def test_a_hook_after_the_commit_of_an_ordinary_handler_is_caught_too(world: tuple[str, int]) -> None:
    subscribe(AnswerEvent, name="test.trace")(lambda event: transaction.on_commit(lambda: connect(world)))
    commit(saved())
    drain_all()
    assert caught() == ["a handler"]


def test_services_of_our_own_and_tests_themselves_are_let_through(
    world: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(world)
    monkeypatch.setattr("django.conf.settings.REDIS_URL", f"redis://127.0.0.1:{world[1]}/0")
    with transaction.atomic():
        connect(world)
    assert caught() == []
