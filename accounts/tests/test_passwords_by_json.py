"""A password is the same on pages and by JSON, spaces and all."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts.models import User

pytestmark = pytest.mark.django_db
ROOT = "/_allauth/app/v1"
SPACED = "  several plain words "


def _log_in(email: str, password: str) -> int:
    cache.clear()
    answer = Client().post(f"{ROOT}/auth/login", {"email": email, "password": password}, "application/json")
    return answer.status_code


def test_a_password_of_a_page_with_spaces_around_it_counts_by_json(alice: User) -> None:
    alice.set_password(SPACED)
    alice.save()

    assert _log_in(alice.email, SPACED) == 200
    assert _log_in(alice.email, SPACED.strip()) == 400


def test_signing_up_by_json_keeps_the_spaces(client: Client) -> None:
    client.post(f"{ROOT}/auth/signup", {"email": "dora@example.org", "password": SPACED}, "application/json")

    assert User.objects.get().check_password(SPACED)


def test_changing_and_recovering_it_by_json_keep_them_too(client: Client, alice: User) -> None:
    alice.set_password(SPACED)
    alice.save()
    answer = client.post(f"{ROOT}/auth/login", {"email": alice.email, "password": SPACED}, "application/json")
    token = {"X-Session-Token": answer.json()["meta"]["session_token"]}
    change = {"current_password": SPACED, "new_password": " another few plain words "}
    assert client.post(f"{ROOT}/account/password/change", change, "application/json", headers=token).status_code == 200
    alice.refresh_from_db()
    assert alice.check_password(" another few plain words ")

    answer = client.post(f"{ROOT}/auth/password/request", {"email": alice.email}, "application/json")
    token = {"X-Session-Token": answer.json()["meta"]["session_token"]}
    found = re.search(r"^(\S+)\n\nis the code", str(mail.outbox[-1].body), re.MULTILINE)
    assert found
    client.post(f"{ROOT}/auth/password/reset", {"key": found[1], "password": SPACED}, "application/json", headers=token)
    alice.refresh_from_db()
    assert alice.check_password(SPACED)
