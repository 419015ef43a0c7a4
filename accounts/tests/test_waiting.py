"""A crowd behind one address gets in, and who has to wait is told how long."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from accounts.models import Organisation, User
from config import settings as product

pytestmark = [pytest.mark.thorough, pytest.mark.django_db]
PASSWORD = "correct horse battery staple"  # of the cast
ROOT = "/_allauth/app/v1"
CROWD = 60


@pytest.fixture
def slow(settings: Settings) -> None:
    """Of everything one, and the next after half an hour."""
    once = "1/30m"
    settings.ACCOUNT_RATE_LIMITS = {
        "signup": f"{once}/ip",
        "login": f"{once}/ip",
        "reset_password": f"{once}/ip",
        "confirm_email": f"{once}/key",
        "reauthenticate": f"{once}/user",
    }


def sign_up(client: Client, name: str) -> Any:
    typed = {"email": f"{name}@example.org", "password1": PASSWORD, "name": name, "organisation": name}
    return client.post("/accounts/signup/", typed)


def sign_in(client: Client, email: str) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": PASSWORD})


def words(response: Any) -> str:
    return re.sub(r"\s+", " ", unescape(response.content.decode()))


def test_a_training_room_behind_one_address_signs_up() -> None:
    statuses = {sign_up(Client(), f"person{number}").status_code for number in range(CROWD)}
    assert statuses == {302}
    assert User.objects.count() == CROWD


def test_a_training_room_behind_one_address_signs_in(alice: User) -> None:
    room = Organisation.objects.create(name="Room")
    people = [User.objects.create_user(f"p{n}@example.org", PASSWORD, organisation=room) for n in range(CROWD)]
    locations = {sign_in(Client(), each.email).headers.get("Location") for each in people}
    assert locations == {"/questionnaires/"}


def test_limits_by_address_alone_are_generous_as_they_come() -> None:
    by_address = {
        "signup": "120/m/ip",
        "login": "240/m/ip",
        "reset_password": "120/m/ip,5/m/key",
        "reset_password_from_key": "120/m/ip",
        "login_failed": "5/300s/key",  # by person: wrong codes of a second factor
    }
    assert by_address.items() <= product.ACCOUNT_RATE_LIMITS.items()


@pytest.mark.usefixtures("slow")
def test_a_page_that_comes_too_soon_says_how_long_to_wait(alice: User) -> None:
    sign_up(Client(), "dora")
    sign_in(Client(), alice.email)
    Client().post("/accounts/password/reset/", {"email": "a@example.org"})

    for refused in (
        sign_up(Client(), "emil"),
        sign_in(Client(), alice.email),
        Client().post("/accounts/password/reset/", {"email": "b@example.org"}),
    ):
        assert refused.status_code == 429
        assert 1790 < int(refused["Retry-After"]) <= 1800
        assert "Wait 30 minutes, then try again." in words(refused)
        assert PASSWORD not in words(refused)


@pytest.mark.usefixtures("slow")
def test_the_wait_gets_shorter(alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "2/60s/ip"}
    now = 1_000_000.0
    monkeypatch.setattr("allauth.core.internal.ratelimit.time.time", lambda: now)
    sign_in(Client(), alice.email)
    now += 20
    sign_in(Client(), alice.email)
    now += 10.5
    assert sign_in(Client(), alice.email)["Retry-After"] == "30"
    now += 29.6
    assert sign_in(Client(), alice.email).status_code == 302


@pytest.mark.usefixtures("slow")
def test_a_native_client_that_comes_too_soon_is_told_how_long_to_wait(alice: User) -> None:
    for path, first, second in (
        ("signup", {"email": "d@example.org", "password": PASSWORD}, {"email": "e@example.org", "password": PASSWORD}),
        ("login", {"email": alice.email, "password": PASSWORD}, {"email": alice.email, "password": PASSWORD}),
        ("password/request", {"email": "f@example.org"}, {"email": "g@example.org"}),
    ):
        Client().post(f"{ROOT}/auth/{path}", first, "application/json")
        refused = Client().post(f"{ROOT}/auth/{path}", second, "application/json")
        assert refused.status_code == 429, path
        assert 1790 < int(refused["Retry-After"]) <= 1800


@pytest.mark.usefixtures("slow")
def test_another_code_too_soon_is_told_with_the_true_wait(client: Client) -> None:
    sign_up(client, "dora")

    page = client.post("/accounts/confirm-email/", {"action": "resend"}, follow=True)
    assert "A code was sent just now. Wait 30 minutes, then send a new one." in words(page)


@pytest.mark.usefixtures("slow")
def test_a_native_client_that_asks_for_another_code_too_soon_is_told_how_long_to_wait() -> None:
    answer = Client().post(f"{ROOT}/auth/signup", {"email": "d@example.org", "password": PASSWORD}, "application/json")
    token = {"X-Session-Token": answer.json()["meta"]["session_token"]}
    refused = Client().post(f"{ROOT}/auth/email/verify/resend", headers=token)
    assert refused.status_code == 429
    assert 1790 < int(refused["Retry-After"]) <= 1800


@pytest.mark.usefixtures("slow")
def test_a_program_gets_it_in_json(alice: User) -> None:
    sign_in(Client(), alice.email)
    refused = Client().post("/accounts/login/", {"login": "a", "password": "b"}, headers={"Accept": "application/json"})
    assert refused.status_code == 429
    assert refused.json()["error"].endswith("Wait 30 minutes, then try again.")


def test_what_one_request_was_told_is_forgotten_by_the_next(alice: User, slow: None) -> None:
    sign_in(Client(), alice.email)
    sign_in(Client(), alice.email)
    cache.clear()
    assert sign_in(Client(), alice.email).status_code == 302
