"""What an operation takes is counted by time, too, and what is refused is paid for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from api import charging, execution
from api.context import Context
from api.errors import Refused
from api.execution import prepare, run
from api.metering import QUERY, Meter
from api.parameters import Parameters
from api.tests.test_http import errors_of, post
from throttling import buckets
from throttling.rates import read

pytestmark = pytest.mark.usefixtures("small_schema")

TOO_LARGE = {"query": "{ rows(first: 20000) { nodes { number } } }"}


@pytest.fixture
def slow(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock finds it a hundred steps later."""
    settings.GRAPHQL_STEP_MICROSECONDS = 1_000
    monkeypatch.setattr("api.metering.thread_time", count(step=0.1).__next__)


@pytest.fixture
def _nobody_owes(settings: Settings) -> Iterator[None]:
    settings.THROTTLING = {"api-person": read("1000/h")}
    buckets.forget()
    charging._owing.clear()
    yield
    charging._owing.clear()


def context_of(person: User) -> Context:
    return Context(user=person, request=None, correlation_id=uuid4())


@pytest.mark.usefixtures("slow")
def test_time_counts_where_it_comes_to_more_than_the_steps_that_were_made(settings: Settings) -> None:
    settings.GRAPHQL_MAX_COST = 500
    rows = " ".join(f"{name}: row {{ number }}" for name in "abcdef")

    answer = run(prepare(Parameters(query=f"{{ {rows} email }}")), context_of(User(email="alice@example.org")))

    # Preparing takes a hundred, and so does each row. What comes after the end has no value either.
    assert answer["data"] == {**{name: {"number": 1} for name in "abcd"}, "e": None, "f": None, "email": None}
    assert {error["extensions"]["limit"] for error in answer["errors"]} == {"cost"}


@pytest.mark.django_db
def test_a_query_counts_for_what_the_database_does_meanwhile() -> None:
    meter = Meter()

    with connection.execute_wrapper(meter.count_query):
        assert not User.objects.exists()
        assert not User.objects.exists()

    assert meter.timed == 2 * QUERY


@pytest.mark.django_db
def test_the_queries_of_an_operation_are_counted(alice: User, settings: Settings) -> None:
    settings.GRAPHQL_MAX_COST = 3 * QUERY - 1
    renames = " ".join(f'{name}: rename(name: "{name}") {{ name }}' for name in "abcd")

    answer = run(prepare(Parameters(query=f"mutation {{ {renames} }}")), context_of(alice))

    # Whether there is something left is asked before each field: the third one spends it, and is done.
    assert [name for name, value in answer["data"].items() if value is None] == ["c", "d"]
    alice.refresh_from_db()
    assert alice.name == "c"


def test_values_are_counted_at_each_place_before_they_are_read() -> None:
    uses = " ".join(f"s{number}: sum(of: $of)" for number in range(100))
    text = f"query ($of: [Int!]) {{ {uses} }}"

    with patch.object(execution, "get_variable_values") as coercing, pytest.raises(Refused):
        prepare(Parameters(query=text, variables={"of": [1] * 12_000}))

    assert not coercing.called


@pytest.mark.django_db
@pytest.mark.usefixtures("_nobody_owes", "slow")
def test_what_is_refused_costs_its_person_and_debts_are_refused_unread(
    alice_client: Client, bob_client: Client
) -> None:
    for _ in range(12):  # each takes a hundred steps to refuse
        assert errors_of(post(alice_client, TOO_LARGE))[0][0] == "LIMIT_EXCEEDED"

    with patch("api.views.prepare") as preparing:
        refused = post(alice_client, {"query": "{ email }"})
    assert not preparing.called
    assert (refused.status_code, refused["Retry-After"]) == (429, "720")
    assert post(bob_client, {"query": "{ email }"}).status_code == 200


@pytest.mark.django_db
@pytest.mark.usefixtures("_nobody_owes", "slow")
def test_what_an_operation_took_beyond_its_cost_is_charged(alice_client: Client) -> None:
    rows = " ".join(f"{name}: row {{ number }}" for name in "abcdefghij")
    assert post(alice_client, {"query": f"{{ {rows} }}"}).status_code == 200  # it costs 20, and takes 1,200

    assert post(alice_client, {"query": "{ email }"}).status_code == 429


@pytest.mark.django_db
def test_nobody_is_asked_for_who_owes_nothing(alice_client: Client, settings: Settings) -> None:
    settings.THROTTLING = {"api-person": read("1000/h")}
    buckets.forget()

    with patch.object(buckets, "take", wraps=buckets.take) as taking:
        assert post(alice_client, {"query": "{ email }"}).status_code == 200

    assert taking.call_count == 1
