"""Who is asking over HTTP: a browser by its cookie from one of our pages, any other client by its token."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Membership, User
from accounts.sessions import SessionStore
from api import asking
from api.asking import Again, Asker
from api.tests.servers import PASSWORD
from api.tokens import token_in

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

    assert asking.again([asker])[asker].standing == frozenset()


# --- looked up again, all together -----------------------------------------------------------------------------------


@pytest.fixture
def askers(alice: User, bob: User, charlie: User) -> list[Asker]:
    """Alice on two devices, Bob and Charlie, as they are after they were looked up again."""
    tokens = [log_in(Client(), f"{name}@example.org") for name in ("alice", "alice", "bob", "charlie")]
    known = [asker for token in tokens if (asker := asking.by_token(token))]
    assert len(known) == 4
    return [found.asker for found in asking.again(known).values()]


def who(found: dict[Asker, Again]) -> list[str]:
    return sorted(str(each.asker.user) for each in found.values())


def test_three_queries_look_all_up_who_are_stored_as_before(
    askers: list[Asker], alice: User, charlie: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(3):
        found = asking.again(askers)

    assert who(found) == ["Alice", "Alice", "Bob", "Charlie"]
    assert {each.standing for each in found.values()} == {
        frozenset({alice.organisation.pk}),
        frozenset({charlie.organisation.pk}),
    }


def test_each_device_has_rows_of_its_own(askers: list[Asker]) -> None:
    first, second, *_others = asking.again(askers).values()

    assert first.asker.user == second.asker.user
    assert first.asker.user is not second.asker.user


def test_who_logged_out_is_not_found_again(askers: list[Asker]) -> None:
    SessionStore(askers[0].session_key).delete()

    assert who(asking.again(askers)) == ["Alice", "Bob", "Charlie"]


def test_whose_session_is_over_is_not_found_again(askers: list[Asker]) -> None:
    Session.objects.filter(pk=askers[0].session_key).update(expire_date=timezone.now())

    assert who(asking.again(askers)) == ["Alice", "Bob", "Charlie"]


def test_whose_password_was_changed_is_not_found_again(askers: list[Asker], alice: User) -> None:
    alice.set_password("another horse battery staple")
    alice.save()

    assert who(asking.again(askers)) == ["Bob", "Charlie"]


def test_who_was_deactivated_or_deleted_is_not_found_again(askers: list[Asker], alice: User, charlie: User) -> None:
    alice.is_active = False
    alice.save()
    charlie.delete()

    assert who(asking.again(askers)) == ["Bob"]


def test_whose_session_came_to_be_another_persons_is_not_found_again(askers: list[Asker]) -> None:
    bobs = Session.objects.get(pk=askers[2].session_key).session_data
    Session.objects.filter(pk=askers[0].session_key).update(session_data=bobs)

    assert who(asking.again(askers)) == ["Alice", "Bob", "Charlie"]


def test_what_else_changed_is_found_as_it_is_now(askers: list[Asker], alice: User) -> None:
    alice.name = "Alicia"
    alice.save()

    assert who(asking.again(askers)) == ["Alicia", "Alicia", "Bob", "Charlie"]


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
    assert token_in(headers) == token
