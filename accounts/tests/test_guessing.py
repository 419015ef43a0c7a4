"""Limits on guessing passwords: they bound who guesses, and keep nobody out of their own account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from accounts import guessing, known_device
from accounts.models import User
from accounts.tests.conftest import PASSWORD
from accounts.tests.test_signing_up import code_from

pytestmark = [pytest.mark.thorough, pytest.mark.django_db]
AMOUNT_FROM_EVERYWHERE = guessing.ELSEWHERE.amount
NEW_PASSWORD = "another few plain words"


@pytest.fixture(autouse=True)
def _only_these_limits(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wider ones are made narrow, to be reached soon. All attempts of a network to sign in, right or wrong, have a
    limit of their own, which is lifted."""
    monkeypatch.setattr(guessing, "ELSEWHERE", replace(guessing.ELSEWHERE, amount=8))
    monkeypatch.setattr(guessing, "NETWORK", replace(guessing.NETWORK, amount=12))
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "login": None}


def _sign_in(network: str, email: str, password: str, browser: Client | None = None, host: str = "localhost") -> Any:
    form = {"login": email, "password": password}
    return (browser or Client()).post("/accounts/login/", form, REMOTE_ADDR=network, headers={"Host": host})


def _guess(network: str, email: str, times: int) -> Any:
    for _ in range(times):
        answer = _sign_in(network, email, "a wrong guess")
    return answer


def _guess_from_everywhere(email: str) -> None:
    """As often as is heard from all networks together."""
    for number in range(guessing.ELSEWHERE.amount):
        assert _guess(f"198.51.100.{number}", email, 1).status_code == 200


def _is_in(answer: Any) -> bool:
    return bool(answer.headers.get("Location") == "/questionnaires/")


def test_the_sixth_attempt_from_a_network_is_refused_even_with_the_right_password(alice: User) -> None:
    assert _guess("203.0.113.1", alice.email, 5).status_code == 200

    refused = _sign_in("203.0.113.1", alice.email, PASSWORD)

    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    page = refused.content.decode()
    assert "Too many failed attempts. Wait 5 minutes, then try again. Or recover your password by mail" in page
    assert f'value="{alice.email}"' in page


def test_the_owner_gets_in_from_another_network(alice: User) -> None:
    _guess("203.0.113.1", alice.email, 6)

    assert _is_in(_sign_in("192.0.2.1", alice.email, PASSWORD))


def test_networks_of_ipv6_count_by_what_a_provider_gives_to_one_customer(alice: User) -> None:
    for number in range(5):
        _guess(f"2001:db8:1:2::{number}", alice.email, 1)

    assert _guess("2001:db8:1:2:ffff::1", alice.email, 1).status_code == 429
    assert _is_in(_sign_in("2001:db8:1:3::1", alice.email, PASSWORD))


def test_another_name_or_port_of_this_server_is_no_way_around(alice: User) -> None:
    for number in range(5):
        _sign_in("203.0.113.1", alice.email, "a wrong guess", host=f"localhost:{number + 1}")

    assert _sign_in("203.0.113.1", alice.email, "a wrong guess", host="127.0.0.1:77").status_code == 429


def test_guesses_from_many_networks_are_bounded(alice: User) -> None:
    _guess_from_everywhere(alice.email)

    assert _guess("192.0.2.1", alice.email, 1).status_code == 429
    assert _sign_in("192.0.2.1", alice.email, PASSWORD).status_code == 429


def test_all_networks_together_have_fewer_than_the_hundred_guesses_that_nist_allows() -> None:
    """SP 800-63B-4, section 3.2.2."""
    assert AMOUNT_FROM_EVERYWHERE <= 100


def test_a_browser_in_which_the_owner_signed_in_before_still_gets_in(alice: User) -> None:
    browser = Client()
    _sign_in("192.0.2.1", alice.email, PASSWORD, browser)
    browser.post("/accounts/logout/")
    _guess_from_everywhere(alice.email)

    assert _is_in(_sign_in("192.0.2.2", alice.email, PASSWORD, browser))


def test_a_known_browser_has_five_attempts_too_and_knows_no_other_address(alice: User, bob: User) -> None:
    browser = Client()
    _sign_in("192.0.2.1", bob.email, PASSWORD, browser)
    browser.post("/accounts/logout/")
    _guess_from_everywhere(alice.email)

    assert _sign_in("192.0.2.1", alice.email, PASSWORD, browser).status_code == 429
    for _ in range(5):
        _sign_in("192.0.2.1", bob.email, "a wrong guess", browser)
    assert _sign_in("192.0.2.1", bob.email, PASSWORD, browser).status_code == 429


def test_a_cookie_that_was_not_made_here_is_no_known_browser(alice: User) -> None:
    _guess_from_everywhere(alice.email)
    browser = Client()
    browser.cookies[known_device.COOKIE] = "made-up"

    assert _sign_in("192.0.2.1", alice.email, PASSWORD, browser).status_code == 429


def test_the_cookie_names_nobody_and_lets_nobody_in(alice: User) -> None:
    browser = Client()
    _sign_in("192.0.2.1", alice.email, PASSWORD, browser)
    cookie = browser.cookies[known_device.COOKIE]
    other = Client()
    other.cookies[known_device.COOKIE] = cookie.value

    assert cookie["httponly"] is True
    assert "alice" not in cookie.value
    assert other.get("/questionnaires/").status_code == 302


def test_who_recovers_the_password_gets_in_in_the_midst_of_an_attack(alice: User) -> None:
    _guess_from_everywhere(alice.email)
    browser = Client()
    browser.post("/accounts/password/reset/", {"email": alice.email})
    browser.post("/accounts/password/reset/confirm/", {"code": code_from(mail.outbox[0])})
    browser.post("/accounts/password/reset/complete/", {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    _guess_from_everywhere(alice.email)

    assert _is_in(_sign_in("192.0.2.1", alice.email, NEW_PASSWORD, browser))


def test_one_network_is_bounded_for_all_addresses_generously(alice: User, bob: User) -> None:
    for number in range(guessing.NETWORK.amount):
        assert _guess("203.0.113.1", f"{number}@example.org", 1).status_code == 200

    assert _sign_in("203.0.113.1", alice.email, PASSWORD).status_code == 429
    assert _is_in(_sign_in("203.0.113.2", alice.email, PASSWORD))


def test_attempts_that_succeed_are_not_counted(alice: User) -> None:
    for _ in range(12):
        assert _is_in(_sign_in("203.0.113.1", alice.email, PASSWORD))


def test_an_address_that_nobody_has_is_refused_alike(alice: User) -> None:
    known, unknown = (_guess("203.0.113.1", email, 6) for email in (alice.email, "nobody@example.org"))

    assert (known.status_code, unknown.status_code) == (429, 429)
    assert known.headers["Retry-After"] == unknown.headers["Retry-After"]


def test_by_json_it_is_429_too(alice: User) -> None:
    sent = {"email": alice.email, "password": "a wrong guess"}
    for _ in range(6):
        answer = Client().post("/_allauth/app/v1/auth/login", sent, "application/json")

    assert answer.status_code == answer.json()["status"] == 429
    assert answer.json()["errors"][0]["code"] == "too_many_login_attempts"
    assert int(answer.headers["Retry-After"]) > 0


def test_somebody_who_is_signed_in_can_confirm_it_whatever_strangers_guess(alice: User, alice_client: Client) -> None:
    _guess_from_everywhere(alice.email)

    assert alice_client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302
    for _ in range(5):
        alice_client.post("/accounts/reauthenticate/", {"password": "a wrong guess"})
    refused = alice_client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert refused.status_code == 429
    assert refused.headers["Retry-After"]


def test_who_signs_in_unconfirmed_within_ten_seconds_of_a_code_is_told_the_right_time(client: Client) -> None:
    client.post("/accounts/signup/", {"email": "dora@example.org", "password1": NEW_PASSWORD})

    refused = _sign_in("192.0.2.1", "dora@example.org", NEW_PASSWORD)

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
    assert "Wait 10 seconds" in refused.content.decode()
