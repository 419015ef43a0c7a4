"""Native clients sign up, confirm their address, log in and log out by JSON: allauth's app client."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import NoReverseMatch, reverse
from pytest_django import Settings

from accounts.models import User
from api.tests.servers import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_schema")]

ROOT = "/_allauth/app/v1"
DORA = {"email": "dora@example.org", "password": "several plain words"}


def send(client: Client, path: str, body: object, token: str = "", method: str = "post") -> Any:
    headers = {"X-Session-Token": token} if token else {}
    return getattr(client, method)(ROOT + path, json.dumps(body), content_type="application/json", headers=headers)


def whom_graphql_knows(client: Client, token: str) -> Any:
    response = client.post(
        "/graphql",
        json.dumps({"query": "{ email }"}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    return response.json()["data"]["email"] if response.status_code == 200 else response.status_code


def flows(response: Any) -> list[str]:
    """What the client has to do next."""
    return [flow["id"] for flow in response.json()["data"]["flows"] if flow.get("is_pending")]


def code_in_mail() -> str:
    found = re.search(r"^\s*([A-Z0-9]{3,}-?[A-Z0-9]{3,})\s*$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found is not None, mail.outbox[-1].body
    return found[1]


def test_somebody_signs_up_confirms_the_address_and_asks(client: Client) -> None:
    signed_up = send(client, "/auth/signup", DORA)
    token = signed_up.json()["meta"]["session_token"]

    assert signed_up.status_code == 401
    assert flows(signed_up) == ["verify_email"]
    assert whom_graphql_knows(client, token) == 401

    verified = send(client, "/auth/email/verify", {"key": code_in_mail()}, token)
    token = verified.json()["meta"].get("session_token", token)

    assert verified.status_code == 200
    assert whom_graphql_knows(client, token) == "dora@example.org"
    dora = User.objects.get(email="dora@example.org")
    assert dora.organisation.name == "Organisation of dora@example.org"


def test_a_wrong_code_confirms_nothing(client: Client) -> None:
    token = send(client, "/auth/signup", DORA).json()["meta"]["session_token"]

    assert send(client, "/auth/email/verify", {"key": "WRONG1"}, token).status_code == 400
    assert whom_graphql_knows(client, token) == 401


def test_logging_in_gives_a_token_and_logging_out_takes_it_back(client: Client, alice: User) -> None:
    logged_in = send(client, "/auth/login", {"email": alice.email, "password": PASSWORD})
    token = logged_in.json()["meta"]["session_token"]

    assert logged_in.status_code == 200
    assert client.cookies == {}
    assert whom_graphql_knows(client, token) == "alice@example.org"

    send(client, "/auth/session", {}, token, "delete")

    assert whom_graphql_knows(client, token) == 401
    assert client.get(f"{ROOT}/auth/session", headers={"X-Session-Token": token}).status_code == 410


def test_a_wrong_password_gives_no_token(client: Client, alice: User) -> None:
    refused = send(client, "/auth/login", {"email": alice.email, "password": "wrong"})

    assert refused.status_code == 400
    assert "session_token" not in refused.content.decode()


def test_attempts_are_limited_as_on_the_page(client: Client, alice: User) -> None:
    wrong = {"email": alice.email, "password": "wrong"}
    answers = [send(client, "/auth/login", wrong).json()["errors"][0]["code"] for _attempt in range(6)]

    assert answers == ["email_password_mismatch"] * 5 + ["too_many_login_attempts"]
    right = send(client, "/auth/login", {"email": alice.email, "password": PASSWORD})
    assert right.status_code == 429


def test_nobody_signs_up_where_sign_up_is_closed(client: Client, settings: Settings) -> None:
    settings.SIGNUP = "closed"

    assert send(client, "/auth/signup", DORA).status_code == 403
    assert not User.objects.filter(email="dora@example.org").exists()


def test_a_weak_password_is_refused_with_the_reason(client: Client) -> None:
    refused = send(client, "/auth/signup", {"email": "dora@example.org", "password": "1234567890"})

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["param"] == "password"


def test_signing_up_with_a_known_address_tells_nothing(client: Client, alice: User) -> None:
    known = send(client, "/auth/signup", {**DORA, "email": alice.email})

    assert known.status_code == 401
    assert flows(known) == ["verify_email"]
    assert User.objects.count() == 1


def test_a_changed_password_ends_the_tokens_of_other_devices(client: Client, alice: User) -> None:
    one, other = (
        send(client, "/auth/login", {"email": alice.email, "password": PASSWORD}).json()["meta"]["session_token"]
        for _device in range(2)
    )
    change = {"current_password": PASSWORD, "new_password": "several other words"}
    changed = send(client, "/account/password/change", change, one)
    one = changed.json()["meta"].get("session_token", one)

    assert changed.status_code == 200
    assert whom_graphql_knows(client, one) == "alice@example.org"
    assert whom_graphql_knows(client, other) == 401


def test_browsers_have_the_pages_and_no_json() -> None:
    assert reverse("headless:app:account:login") == f"{ROOT}/auth/login"
    with pytest.raises(NoReverseMatch):
        reverse("headless:browser:account:login")
