"""Sessions end by themselves, get a new key where somebody proves once more who they are, and are listed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import devices
from accounts.models import OpenSession, User
from accounts.sessions import BEGAN, SessionStore
from accounts.standing import of_sessions
from accounts.tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SESSIONS = "/accounts/sessions/"


def _browser(user: User, agent: str = FIREFOX, address: str = "203.0.113.77") -> Client:
    browser = Client(REMOTE_ADDR=address, headers={"User-Agent": agent})
    browser.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert browser.session["_auth_user_id"] == str(user.pk)
    return browser


def _is_in(browser: Client) -> bool:
    return browser.get("/questionnaires/").status_code == 200


def _ends_in(browser: Client) -> float:
    """Days until the session ends."""
    ends = Session.objects.get(pk=browser.session.session_key).expire_date
    return round((ends - timezone.now()) / timedelta(days=1), 2)


def _pass(browser: Client, days: float) -> None:
    """Let the session's end come nearer, as time does."""
    session = Session.objects.filter(pk=browser.session.session_key)
    session.update(expire_date=session.get().expire_date - timedelta(days=days))


def test_a_session_ends_after_a_week_without_a_request(alice: User) -> None:
    browser = _browser(alice)
    assert _ends_in(browser) == 7

    _pass(browser, 6.9)
    assert _is_in(browser)
    assert _ends_in(browser) == 7

    _pass(browser, 7.1)
    assert not _is_in(browser)


def test_a_session_that_is_used_every_day_ends_two_weeks_after_signing_in(alice: User) -> None:
    browser = _browser(alice)
    session = browser.session
    session[BEGAN] -= 12 * 86_400
    session.save()

    assert _is_in(browser)
    assert _ends_in(browser) == 2


def test_how_long_is_a_setting(alice: User, settings: Settings) -> None:
    settings.SESSION_IDLE_DAYS = 1

    assert _ends_in(_browser(alice)) == 1


def test_requests_within_an_hour_write_nothing_because_of_it(alice: User, django_assert_num_queries: object) -> None:
    browser = _browser(alice)
    _pass(browser, 1 / 48)
    before = Session.objects.get(pk=browser.session.session_key).expire_date

    assert _is_in(browser)

    assert Session.objects.get(pk=browser.session.session_key).expire_date == before


def test_a_token_that_is_used_goes_on_too(alice: User) -> None:
    sent = {"email": alice.email, "password": PASSWORD}
    answer = Client().post("/_allauth/app/v1/auth/login", sent, "application/json")
    token = answer.json()["meta"]["session_token"]
    Session.objects.filter(pk=token).update(expire_date=timezone.now() + timedelta(days=1))

    query = {"query": "{ me { name } }"}
    asked = Client().post("/graphql", query, "application/json", headers={"Authorization": f"Bearer {token}"})

    assert asked.status_code == 200
    assert Session.objects.get(pk=token).expire_date > timezone.now() + timedelta(days=6.9)


def test_a_session_of_an_older_version_is_listed_once_it_is_used_and_not_made_longer(alice: User) -> None:
    browser = Client()
    browser.force_login(alice)
    session = browser.session
    del session[BEGAN]
    session.save()
    Session.objects.update(expire_date=timezone.now() + timedelta(days=13))
    OpenSession.objects.all().delete()

    assert "Unknown browser" in browser.get(SESSIONS).content.decode()
    assert _ends_in(browser) == 7
    _pass(browser, 3)
    assert _is_in(browser)
    assert _ends_in(browser) == 4


def test_confirming_gives_the_session_a_new_key(alice: User) -> None:
    browser = _browser(alice)
    before = browser.session.session_key
    listed = OpenSession.objects.get()

    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})

    after = browser.session.session_key
    assert after != before
    assert not SessionStore().exists(str(before))
    assert _is_in(browser)
    assert OpenSession.objects.get() == listed
    assert OpenSession.objects.get().session_key == after


def test_a_native_client_gets_its_new_token_in_the_answer(alice: User) -> None:
    root, sent = "/_allauth/app/v1", {"email": alice.email, "password": PASSWORD}
    client = Client()
    token = client.post(f"{root}/auth/login", sent, "application/json").json()["meta"]["session_token"]

    again = client.post(
        f"{root}/auth/reauthenticate", {"password": PASSWORD}, "application/json", headers={"X-Session-Token": token}
    )
    new = again.json()["meta"]["session_token"]

    assert new != token
    assert client.get(f"{root}/auth/session", headers={"X-Session-Token": token}).status_code == 410
    assert client.get(f"{root}/auth/session", headers={"X-Session-Token": new}).status_code == 200


def test_a_person_sees_where_they_are_signed_in(alice: User, charlie: User) -> None:
    here = _browser(alice)
    _browser(
        alice, "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) Version/17.0 Mobile/15E148 Safari/604.1", "2001:db8:1:2::9"
    )
    sent = {"email": alice.email, "password": PASSWORD}
    Client(headers={"User-Agent": "plumbline-client/2"}).post("/_allauth/app/v1/auth/login", sent, "application/json")
    _browser(charlie, "Mozilla/5.0 (Windows NT 10.0) Chrome/120.0 Safari/537.36")

    page = here.get(SESSIONS).content.decode()

    assert "Firefox on Linux" in page
    assert "203.0.113.x" in page
    assert "Safari on iPhone" in page
    assert "2001:db8:1::/48" in page
    assert "plumbline-client/2" in page
    assert page.count("app with a token") == page.count("this one") == 1
    assert "Chrome" not in page
    assert "203.0.113.77" not in page
    assert str(here.session.session_key) not in page


def test_ending_one_ends_only_that(alice: User) -> None:
    here, there, elsewhere = (_browser(alice) for _ in range(3))
    number = OpenSession.objects.get(session_key=there.session.session_key).pk
    key = str(there.session.session_key)

    answer = here.post(SESSIONS, {"session": str(number)}, follow=True)

    assert "That session was ended." in answer.content.decode()
    assert _is_in(here)
    assert not _is_in(there)
    assert _is_in(elsewhere)
    assert of_sessions([key]) == {}  # what open sockets ask


def test_ending_all_others_keeps_this_one(alice: User, bob: User) -> None:
    here, there, bobs = _browser(alice), _browser(alice), _browser(bob)
    token = (
        Client()
        .post("/_allauth/app/v1/auth/login", {"email": alice.email, "password": PASSWORD}, "application/json")
        .json()["meta"]["session_token"]
    )

    page = here.post(SESSIONS, {"others": "1"}, follow=True).content.decode()

    assert "2 other sessions were ended." in page
    assert _is_in(here)
    assert _is_in(bobs)
    assert not _is_in(there)
    asked = Client().post(
        "/graphql", {"query": "{ me { name } }"}, "application/json", headers={"Authorization": f"Bearer {token}"}
    )
    assert asked.status_code == 401


@pytest.mark.parametrize("number", ["", "x", "0b2c1f0e-3f52-4c55-9f62-8a2f3a9f2d11", "charlie's"])
def test_somebody_elses_session_does_not_exist(number: str, alice: User, charlie: User) -> None:
    here, theirs = _browser(alice), _browser(charlie)
    if number == "charlie's":
        number = str(OpenSession.objects.get(user=charlie).pk)

    assert here.post(SESSIONS, {"session": number}).status_code == 404
    assert _is_in(theirs)


def test_the_list_forgets_sessions_that_are_over(alice: User) -> None:
    here, there, changed = (_browser(alice) for _ in range(3))
    there.post("/accounts/logout/")
    session = changed.session
    session["_auth_user_hash"] = "of another password"
    session.save()

    page = here.get(SESSIONS).content.decode()

    assert page.count("Firefox on Linux") == 1
    assert OpenSession.objects.count() == 1


def test_nobody_sees_the_page_without_signing_in(client: Client) -> None:
    assert client.get(SESSIONS).headers["Location"] == f"/accounts/login/?next={SESSIONS}"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/17.0 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/120.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("\u202eevil\u0007 client", "evil"),
        ("", ""),
    ],
)
def test_a_device_is_named_as_people_know_it(agent: str, words: str) -> None:
    assert devices.described(agent) == words


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.77", "203.0.113.x"), ("2001:db8:1:2::9", "2001:db8:1::/48"), ("", ""), ("nonsense", "")],
)
def test_a_network_is_shortened(address: str, network: str) -> None:
    assert devices.network_of(address) == network
