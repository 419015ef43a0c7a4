"""While the database, the disk or Redis is away answers are 503, in the format that was asked, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from accounts.tests.conftest import PASSWORD
from answers.models import Answer, Submission
from answers.submissions import start
from eventbus.outages import is_outage
from questionnaires.definition import Questionnaire

pytestmark = pytest.mark.django_db
JSON = "application/json"


@contextmanager
def database_is_away() -> Iterator[None]:
    """No statement gets through."""

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        raise OperationalError("connection refused")

    with connection.execute_wrapper(refuse):
        yield


@contextmanager
def disk_is_full() -> Iterator[None]:
    """SQLite may not grow by a single page, so that it says what it says of a full disk."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        pages, largest = (cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "max_page_count"))
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA max_page_count = {largest}")


@pytest.fixture
def submission(alice: User, quick_check: Questionnaire) -> Submission:
    return start(alice, quick_check.slug)


@pytest.fixture
def alice_client(alice_client: Client) -> Client:
    alice_client.raise_request_exception = False
    return alice_client


def test_the_autosave_gets_json_and_saves_once_the_database_is_back(
    alice_client: Client, submission: Submission
) -> None:
    address = reverse("submission-autosave", args=[submission.pk])
    question = submission.questionnaire.questions[0].id
    change = {"changes": [{"question": question, "note": "Written down.", "version": 0}]}

    with database_is_away():
        away = alice_client.post(address, json.dumps(change), JSON)
        looking = alice_client.get(address, headers={"Accept": JSON})
    back = alice_client.post(address, json.dumps(change), JSON)

    for answer in (away, looking):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert answer.json()["error"] == "unavailable"
        assert "Try again in a moment" in answer.json()["message"]
    assert back.status_code == 200
    assert Answer.objects.get().note == "Written down."


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the disk of PostgreSQL is another machine's")
@pytest.mark.django_db(transaction=True)
def test_a_full_disk_is_told_as_json_and_leaves_nothing_half_stored(
    alice_client: Client, submission: Submission
) -> None:
    address = reverse("submission-autosave", args=[submission.pk])
    notes = [{"question": each.id, "note": "x" * 2_000, "version": 0} for each in submission.questionnaire.questions]
    change = {"changes": notes}

    with disk_is_full():
        status = alice_client.post(address, json.dumps(change), JSON).status_code
        stored = Answer.objects.count()

    assert (status, stored) == (503, 0)
    assert alice_client.post(address, json.dumps(change), JSON).status_code == 200


def test_a_page_says_it_and_offers_to_try_again(alice_client: Client) -> None:
    with database_is_away():
        page = alice_client.get("/questionnaires/?organisation=1")

    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    assert "no-store" in page.headers["Cache-Control"]
    assert "Not right now, and nothing is lost" in page.content.decode()
    assert 'href="/questionnaires/?organisation=1"' in page.content.decode()


def test_a_form_that_was_sent_is_on_the_page_to_be_sent_again(alice_client: Client, submission: Submission) -> None:
    address = reverse("submission-rename", args=[submission.pk])
    with database_is_away():
        page = alice_client.post(address, {"name": "The <shop> in town"}).content.decode()

    assert 'name="name" value="The &lt;shop&gt; in town"' in page
    assert f'action="{address}"' in page
    assert "csrfmiddlewaretoken" in page


def test_a_password_is_on_no_page(client: Client) -> None:
    client.raise_request_exception = False
    with database_is_away():
        page = client.post("/accounts/login/", {"login": "alice@example.org", "password": PASSWORD})

    assert page.status_code == 503
    assert PASSWORD not in page.content.decode()


def test_native_clients_and_the_api_get_their_own_formats(alice_client: Client, alice: User) -> None:
    asked = json.dumps({"query": "{ me { name } }"})
    with database_is_away():
        native = alice_client.post("/_allauth/app/v1/auth/login", {"email": alice.email, "password": "x"}, JSON)
        api = alice_client.post("/graphql", asked, JSON)

    assert (native.status_code, native.headers["Retry-After"]) == (503, "5")
    assert native.json()["errors"][0]["code"] == "unavailable"
    assert (api.status_code, api.headers["Retry-After"]) == (503, "5")
    assert api.json()["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"


@pytest.mark.parametrize("path", ["/accounts/login/", "/_allauth/app/v1/auth/login"])
def test_without_redis_signing_in_waits_and_people_who_are_signed_in_go_on(
    path: str, alice_client: Client, alice: User, submission: Submission, settings: Settings
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # where nobody listens
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": settings.REDIS_URL}
    }
    stranger = Client(raise_request_exception=False)
    answer = stranger.post(path, json.dumps({"email": alice.email, "password": PASSWORD}), JSON)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.headers["Content-Type"] == JSON
    assert alice_client.get(reverse("submission", args=[submission.pk])).status_code == 200


def test_what_is_wrong_in_itself_is_no_outage() -> None:
    with connection.cursor() as cursor:
        for statement in ("SELECT nothing", "SELEKT 1"):
            with pytest.raises(DatabaseError) as caught:
                cursor.execute(statement)
            assert not is_outage(caught.value)
    assert not is_outage(IntegrityError("UNIQUE constraint failed"))
    assert not is_outage(ZeroDivisionError())
    assert not is_outage(FileNotFoundError(2, "No such file"))
    assert is_outage(OSError(28, "No space left on device"))
