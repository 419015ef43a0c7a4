"""What allauth's answers to native clients leave out: a request that comes too late, and an unreadable secret."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.tests.conftest import PASSWORD, Protected

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = "/_allauth/app/v1"


def test_two_requests_at_once_switch_it_on_once(client: Client, alice: User) -> None:
    answer = client.post(f"{ROOT}/auth/login", {"email": alice.email, "password": PASSWORD}, "application/json")
    token = {"X-Session-Token": answer.json()["meta"]["session_token"]}
    answer = client.post(f"{ROOT}/auth/reauthenticate", {"password": PASSWORD}, "application/json", headers=token)
    token = {"X-Session-Token": answer.json()["meta"]["session_token"]}

    def the_other_request(secret: str, code: str) -> bool:
        auth.TOTP.activate(alice, secret)
        return True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "validate_totp_code", the_other_request)
        late = client.post(f"{ROOT}/account/authenticators/totp", {"code": "123456"}, "application/json", headers=token)

    assert late.status_code == 409
    assert Authenticator.objects.filter(user=alice, type="totp").count() == 1


def test_a_secret_that_no_key_opens_is_told_with_the_way_out(protected: Protected, settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [], "another key"
    browser = Client()
    browser.force_login(protected.user)
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    token = {"X-Session-Token": browser.session.session_key or ""}

    for path in ("", "/recovery-codes"):
        answer = Client().get(f"{ROOT}/account/authenticators{path}", headers=token)
        assert answer.status_code == 409
        assert answer.json()["errors"][0]["code"] == "unreadable_secret"
        assert "Ask an administrator" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("path", ["/auth/login", "/auth/signup", "/auth/password/request"])
def test_a_hundred_thousand_brackets_are_no_json(client: Client, path: str) -> None:
    answer = client.post(f"{ROOT}{path}", b"[" * 100_000, "application/json")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "no_json"
