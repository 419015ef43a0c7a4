"""Who sends a request, as far as that is known before anything is looked up."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from config import clients as module
from config.clients import Clients
from fairness.turns import Client

ADDRESS = ("address", "192.0.2.1")
ALICE = User(email="alice@example.org")


def scope_of(path: str = "/", **headers: str) -> dict[str, Any]:
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"path": path, "client": ("192.0.2.1", 50_000), "headers": [(b"host", b"localhost"), *sent]}


def request_of(person: Any, **more: Any) -> HttpRequest:
    """A request in which somebody was looked up, as Django does it."""
    request = RequestFactory().get("/")
    vars(request).update({"_cached_user": person, "user": SimpleLazyObject(lambda: person), **more})
    return request


@pytest.fixture
def clients() -> Clients:
    return Clients()


def test_somebody_without_a_session_is_the_address(clients: Clients) -> None:
    assert clients.of(scope_of()) == Client((ADDRESS,), is_stranger=True)
    assert clients.of(scope_of(cookie="csrftoken=abc")) == Client((ADDRESS,), is_stranger=True)


def test_a_session_of_which_nothing_is_known_yet_is_one_client_from_wherever_it_comes(clients: Clients) -> None:
    assert clients.of(scope_of(cookie="sessionid=abc")) == Client((ADDRESS, ("session", "abc")), is_stranger=True)


@pytest.mark.parametrize(
    "headers",
    [
        {"cookie": "csrftoken=x; sessionid=abc"},
        {"cookie": "sessionid=old; __Host-sessionid=abc"},
        {"authorization": "Bearer abc"},
        {"x_session_token": "abc", "cookie": "sessionid=other"},
    ],
)
def test_a_session_is_its_person_once_a_request_had_it_looked_up(clients: Clients, headers: dict[str, str]) -> None:
    clients.learn(scope_of(**headers), request_of(ALICE))

    assert clients.of(scope_of(**headers)) == Client((("person", ALICE.pk),))
    assert clients.origin_of(scope_of(**headers)) == ("person", ALICE.pk)
    assert clients.origin_of(scope_of()) == ADDRESS


def test_the_api_tells_whom_it_found_by_a_token(clients: Clients) -> None:
    scope = scope_of(authorization="Bearer abc")
    request = RequestFactory().get("/")
    request.user = ALICE  # type: ignore[assignment]

    clients.learn(scope, request)

    assert clients.of(scope) == Client((("person", ALICE.pk),))


def test_nobody_is_looked_up_for_it(clients: Clients) -> None:
    def look_up() -> User:
        raise AssertionError("it was looked up")

    scope, request = scope_of(cookie="sessionid=abc"), RequestFactory().get("/")
    request.user = SimpleLazyObject(look_up)  # type: ignore[assignment]

    clients.learn(scope, request)

    assert clients.of(scope) == Client((ADDRESS, ("session", "abc")), is_stranger=True)


def test_a_session_that_has_ended_is_nobodys(clients: Clients) -> None:
    scope = scope_of(cookie="sessionid=abc")
    clients.learn(scope, request_of(ALICE))
    clients.learn(scope, request_of(AnonymousUser()))

    assert clients.of(scope) == Client((ADDRESS, ("session", "abc")), is_stranger=True)


def test_the_oldest_sessions_are_forgotten(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SESSIONS", 2)
    scopes = [scope_of(cookie=f"sessionid={name}") for name in "abc"]
    for scope in scopes:
        clients.learn(scope, request_of(ALICE))

    assert [clients.of(scope).names[0] for scope in scopes] == [ADDRESS, ("person", ALICE.pk), ("person", ALICE.pk)]


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/metrics"])
def test_a_probe_is_nobody_for_whom_room_is_made(clients: Clients, path: str) -> None:
    assert clients.of(scope_of(path)) == Client((("probe", "192.0.2.1"),), is_probe=True)
