"""Cookies have the prefix `__Host-` over https, and nobody is signed out on the way to it."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from config.cookies import HostCookiesOfSockets
from conftest import PASSWORD
from contracts import rolling

SIGN_IN = {"login": "alice@example.org", "password": PASSWORD}


@pytest.fixture
def https(settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True


@pytest.fixture
def visitor(https: None, alice: User) -> Client:
    return Client()


@pytest.fixture
def upgraded() -> None:
    """Each process that runs reads the new names."""
    rolling.heard(["0.3.0"])


@pytest.fixture
def upgrading() -> None:
    """A process of the version before is still there."""
    rolling.heard(["0.2.0", "0.3.0"])


def _sign_in(visitor: Client) -> None:
    visitor.get("/accounts/login/", secure=True)
    assert visitor.post("/accounts/login/", SIGN_IN, secure=True).headers["Location"] == "/questionnaires/"


def _is_signed_in(visitor: Client) -> bool:
    return visitor.get("/questionnaires/", secure=True).status_code == 200


def _names(visitor: Client) -> set[str]:
    """Of the cookies that the browser still has."""
    return {name for name, morsel in visitor.cookies.items() if morsel.value}


def test_over_https_each_cookie_is_for_this_host_alone(visitor: Client, upgraded: None) -> None:
    _sign_in(visitor)

    assert _names(visitor) == {"__Host-sessionid", "__Host-csrftoken", "__Host-known_device"}
    for morsel in visitor.cookies.values():
        assert (morsel["secure"], morsel["path"], morsel["domain"], morsel["samesite"]) == (True, "/", "", "Lax")
    assert visitor.cookies["__Host-sessionid"]["httponly"] is True
    assert _is_signed_in(visitor)


def test_over_http_they_have_no_prefix(alice: User, upgraded: None) -> None:
    visitor = Client()
    visitor.get("/accounts/login/")
    visitor.post("/accounts/login/", SIGN_IN)

    assert _names(visitor) == {"sessionid", "csrftoken", "known_device"}


def test_beside_an_older_process_the_old_names_are_written(visitor: Client, upgrading: None) -> None:
    _sign_in(visitor)

    assert _names(visitor) == {"sessionid", "csrftoken", "known_device"}
    assert _is_signed_in(visitor)


def test_after_the_upgrade_old_cookies_are_exchanged_and_nobody_is_signed_out(visitor: Client, upgrading: None) -> None:
    _sign_in(visitor)
    session, token = visitor.cookies["sessionid"].value, visitor.cookies["csrftoken"].value
    rolling.heard(["0.3.0"])

    assert _is_signed_in(visitor)

    assert {"__Host-sessionid", "__Host-csrftoken"} <= _names(visitor)
    assert not {"sessionid", "csrftoken"} & _names(visitor)
    assert (visitor.cookies["__Host-sessionid"].value, visitor.cookies["__Host-csrftoken"].value) == (session, token)
    assert visitor.cookies["__Host-sessionid"]["httponly"] is True
    assert visitor.cookies["__Host-sessionid"]["max-age"] == 14 * 86_400
    assert _is_signed_in(visitor)


def test_an_older_process_that_comes_back_is_no_harm_to_who_has_a_new_cookie(visitor: Client, upgraded: None) -> None:
    _sign_in(visitor)
    rolling.heard(["0.2.0", "0.3.0"])

    assert _is_signed_in(visitor)


def test_where_both_names_come_the_new_one_counts(visitor: Client, upgraded: None) -> None:
    _sign_in(visitor)
    visitor.cookies["sessionid"] = "x" * 32  # slipped in by somebody else's subdomain

    assert _is_signed_in(visitor)
    assert "sessionid" not in _names(visitor)


def test_signing_out_deletes_the_cookie_in_a_way_that_browsers_take(visitor: Client, upgraded: None) -> None:
    _sign_in(visitor)

    answer = visitor.post("/accounts/logout/", secure=True)
    gone, message = answer.cookies["__Host-sessionid"], answer.cookies["__Host-messages"]

    assert (gone.value, gone["max-age"], gone["secure"], gone["path"]) == ("", 0, True, "/")
    assert (message["secure"], message["httponly"], message["path"]) == (True, True, "/")
    assert not _is_signed_in(visitor)


def test_a_form_with_the_token_of_the_new_cookie_is_taken(https: None, alice: User, upgraded: None) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.get("/accounts/login/", secure=True)
    form = {**SIGN_IN, "csrfmiddlewaretoken": strict.cookies["__Host-csrftoken"].value}

    answer = strict.post("/accounts/login/", form, secure=True, headers={"Origin": "https://testserver"})

    assert answer.headers["Location"] == "/questionnaires/"


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        (b"__Host-sessionid=new; a=b", b"sessionid=new; a=b"),
        (b"sessionid=old; __Host-sessionid=new", b"sessionid=new"),
        (b"__Host-sessionid=new; sessionid=old", b"sessionid=new"),
        (b"sessionid=old", b"sessionid=old"),
        (b"__Host-other=1; other=2", b"__Host-other=1"),
        (b"", b""),
    ],
)
def test_sockets_read_both_names(https: None, sent: bytes, known: bytes) -> None:
    seen = []

    async def application(scope: dict[str, list[tuple[bytes, bytes]]], receive: object, send: object) -> None:
        seen.extend(scope["headers"])

    async_to_sync(HostCookiesOfSockets(application))({"headers": [(b"host", b"x"), (b"cookie", sent)]}, None, None)

    assert seen == [(b"host", b"x"), (b"cookie", known)]
