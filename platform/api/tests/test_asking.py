"""Who is asking over HTTP: a browser by its cookie from one of our pages, any other client by its token."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from accounts.models import Membership, User
from api import asking
from api.tests.servers import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_schema")]

OURS = "http://testserver"
QUERY = json.dumps({"query": "{ email }"})


@pytest.fixture
def strict() -> Client:
    """A client on which Django checks as it does with browsers."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def token(alice: User) -> str:
    return log_in(Client(), "alice@example.org")


def log_in(client: Client, email: str, password: str = PASSWORD) -> str:
    answer = client.post(
        "/_allauth/app/v1/auth/login", {"email": email, "password": password}, content_type="application/json"
    )
    assert answer.status_code == 200, answer.content
    return str(answer.json()["meta"]["session_token"])


def ask(client: Client, **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/graphql", QUERY, content_type="application/json", headers=sent)


def code_of(response: Any) -> str:
    return str(response.json()["errors"][0]["extensions"]["code"])


def with_csrf(client: Client) -> str:
    """Get the CSRF cookie as a page does, and give the value that its requests send."""
    client.get("/accounts/password/reset/")
    return client.cookies["csrftoken"].value


# --- by cookie -----------------------------------------------------------------------------------------------------


def test_a_cookie_counts_with_the_origin_and_the_csrf_token(strict: Client, alice: User) -> None:
    strict.force_login(alice)

    response = ask(strict, Origin=OURS, X_CSRFToken=with_csrf(strict))

    assert response.status_code == 200
    assert response.json() == {"data": {"email": "alice@example.org"}}


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "",
        "https://testserver",
        "http://testserver:8001",
        "http://testserver.evil.example.org",
        "http://evil.example.org",
        "http://localhost",
        "http://localhost:8001",
        "http://[::1",
    ],
)
def test_a_cookie_from_another_origin_is_refused(strict: Client, alice: User, origin: str | None) -> None:
    strict.force_login(alice)
    headers = {"X_CSRFToken": with_csrf(strict), **({} if origin is None else {"Origin": origin})}

    response = ask(strict, **headers)

    assert response.status_code == 403
    assert code_of(response) == "FORBIDDEN_ORIGIN"


def test_the_base_url_is_an_origin_of_ours_behind_a_server_that_changes_the_host(strict: Client, alice: User) -> None:
    strict.force_login(alice)

    response = ask(strict, Origin=django_settings.BASE_URL, X_CSRFToken=with_csrf(strict))

    assert response.status_code == 200


@pytest.mark.parametrize("sent", ["", "wrong" * 6])
def test_a_cookie_without_the_csrf_token_is_refused(strict: Client, alice: User, sent: str) -> None:
    strict.force_login(alice)
    with_csrf(strict)

    response = ask(strict, Origin=OURS, **({"X_CSRFToken": sent} if sent else {}))

    assert response.status_code == 403
    assert code_of(response) == "CSRF_FAILED"


def test_reading_by_cookie_needs_the_word_of_the_browser(strict: Client, alice: User) -> None:
    strict.force_login(alice)

    def read(**headers: str) -> int:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return strict.get("/graphql", {"query": "{ email }"}, headers=sent).status_code

    assert read(Sec_Fetch_Site="same-origin") == 200
    assert read(Origin=OURS) == 200
    assert read() == 403
    assert read(Sec_Fetch_Site="cross-site") == 403
    assert read(Sec_Fetch_Site="same-site") == 403
    assert read(Sec_Fetch_Site="none") == 403
    assert read(Origin="http://evil.example.org", Sec_Fetch_Site="same-origin") == 403


def test_a_stranger_is_told_to_log_in(client: Client) -> None:
    response = ask(client)

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert code_of(response) == "UNAUTHENTICATED"


def test_a_session_that_has_ended_counts_for_nothing(client: Client, alice: User) -> None:
    client.force_login(alice)
    key = client.cookies["sessionid"].value
    client.logout()
    client.cookies["sessionid"] = key

    assert ask(client).status_code == 401


# --- by token ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["Authorization=Bearer {}", "Authorization=bearer {}", "X_Session_Token={}"])
def test_a_token_counts_without_origin_and_csrf_token(strict: Client, token: str, form: str) -> None:
    name, value = form.split("=")

    response = ask(strict, **{name: value.format(token)})

    assert response.status_code == 200
    assert response.json() == {"data": {"email": "alice@example.org"}}


def test_beside_a_token_the_cookie_is_ignored(strict: Client, token: str, charlie: User) -> None:
    strict.force_login(charlie)

    assert ask(strict, X_Session_Token=token).json() == {"data": {"email": "alice@example.org"}}


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic YWxpY2U6eA=="},
        {"Authorization": "Bearer " + "x" * 5000},
        {"X_Session_Token": "wrong"},
        {"X_Session_Token": ""},
        {"X_Session_Token": "\0"},
    ],
)
def test_a_wrong_token_is_refused_even_beside_a_good_cookie(
    client: Client, alice: User, headers: dict[str, str]
) -> None:
    client.force_login(alice)

    response = ask(client, **headers)

    assert response.status_code == 401
    assert code_of(response) == "UNAUTHENTICATED"


@pytest.mark.parametrize("text", ["", "\0abcdefghij", "\ud800abcdefghij", "ä" * 32, "a" * 513])
def test_what_can_be_no_key_is_not_looked_for(django_assert_num_queries: Any, text: str) -> None:
    """A database fails over some of it."""
    with django_assert_num_queries(0):
        assert asking.by_token(text) is None
        assert asking.by_session(text) is None


def test_a_token_ends_by_logging_out(client: Client, token: str) -> None:
    client.delete("/_allauth/app/v1/auth/session", headers={"X-Session-Token": token})

    assert ask(client, X_Session_Token=token).status_code == 401


def test_a_token_ends_when_the_person_is_deactivated(client: Client, token: str, alice: User) -> None:
    alice.is_active = False
    alice.save()

    assert ask(client, X_Session_Token=token).status_code == 401


def test_a_token_ends_when_another_client_changes_the_password(client: Client, token: str, alice: User) -> None:
    alice.set_password("another horse battery staple")
    alice.save()

    assert ask(client, X_Session_Token=token).status_code == 401


def test_a_token_brings_no_cookie(client: Client, token: str) -> None:
    assert ask(client, X_Session_Token=token).cookies == {}


def test_the_standing_of_a_person_is_the_organisations(alice: User, token: str) -> None:
    asker = asking.by_token(token)
    assert asker is not None
    assert asker.standing() == frozenset({alice.organisation.pk})

    Membership.objects.filter(user=alice).delete()
    again = asker.again()

    assert again is not None
    assert again.standing() == frozenset()


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({}, None),
        ({"other": "x"}, None),
        ({"Authorization": "Bearer abc"}, "abc"),
        ({"AUTHORIZATION": "bearer  abc "}, "abc"),
        ({"x-session-token": "abc"}, "abc"),
        ({"X-Session-Token": "abc", "Authorization": "Bearer xyz"}, "abc"),
        ({"Authorization": "Basic abc"}, ""),
        ({"Authorization": None}, None),
        ({"Authorization": 1}, ""),
        ({"X-Session-Token": {"a": "b"}}, ""),
    ],
)
def test_the_token_is_found_in_headers_and_payloads(headers: dict[str, object], token: str | None) -> None:
    assert asking.token_in(headers) == token
