"""For an address that somebody has, and for one that nobody has, the same is done: password hashes, statements, mails,
sessions and answers. What differs would tell a stranger who is here, by its time if not by its words."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import Organisation, User
from accounts.sessions import SessionStore

pytestmark = [pytest.mark.thorough, pytest.mark.django_db]
KNOWN, UNKNOWN = "alice@example.org", "edgar@example.org"
PASSWORD = "several plain words"
JSON = "/_allauth/app/v1"
OWN = ("X-Request-ID", "Expires")
"""Headers that differ from each answer to the next."""


class CountingHasher(MD5PasswordHasher):
    """A password hasher that says how often it worked."""

    count = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.count += 1
        return super().encode(password, salt)


@dataclass(frozen=True)
class Work:
    """What a request did, and how it was answered."""

    hashes: int
    looked_up: int = field(compare=False)
    """Statements that only read. Up to three by the key of a row more or less, at the steps with a code, are the length
    of a packet: a tenth of a millisecond each."""
    written: Counter[str]
    mails: int
    sessions: int
    session_holds: frozenset[str]
    status: int
    headers: frozenset[tuple[str, str]]
    body: str


class Browser:
    """A browser or a native client of one address, which shows what its last request cost."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.client = Client()
        self.token: dict[str, str] = {}

    def page(self, path: str, **form: str) -> Work:
        return self._measured(lambda: self.client.post(path, {**self._filled(form)}))

    def see(self, path: str) -> Work:
        return self._measured(lambda: self.client.get(path))

    def json(self, method: str, path: str, headers: dict[str, str] | None = None, **sent: str) -> Work:
        def send() -> Any:
            body, given = json.dumps(self._filled(sent)), {**self.token, **(headers or {})}
            answer = self.client.generic(method, JSON + path, body, "application/json", headers=given)
            token = answer.json().get("meta", {}).get("session_token")
            self.token = {"X-Session-Token": token} if token else self.token
            return answer

        return self._measured(send)

    def _filled(self, form: dict[str, str]) -> dict[str, str]:
        return {name: value.replace("ADDRESS", self.address) for name, value in form.items()}

    def _measured(self, send: Callable[[], Any]) -> Work:
        cache.clear()  # rate limits are the same for both, too: see test_guessing
        before = CountingHasher.count, len(mail.outbox), Session.objects.count()
        with CaptureQueriesContext(
            connection,
        ) as statements:
            response = send()
        kinds = Counter(kind for each in statements if (kind := _kind(each["sql"])))
        key = self.token.get("X-Session-Token") or self.client.session.session_key
        return Work(
            hashes=CountingHasher.count - before[0],
            looked_up=kinds.pop("SELECT", 0),
            written=kinds,
            mails=len(mail.outbox) - before[1],
            sessions=Session.objects.count() - before[2],
            session_holds=frozenset(SessionStore(key).load()) if key else frozenset(),
            status=response.status_code,
            headers=frozenset(
                (name, self._plain(value)) for name, value in response.headers.items() if name not in OWN
            ),
            body=self._plain(response.content.decode()),
        )

    def _plain(self, text: str) -> str:
        text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"|"session_token": "[^"]+"', "", text)
        return text.replace(self.address, "ADDRESS")


def _kind(sql: str) -> str:
    """What a statement does to which table; nothing for one that only marks a place in a transaction."""
    if sql.startswith("SELECT"):
        return "SELECT"
    found = re.match(r'(INSERT INTO|UPDATE|DELETE FROM) "?(\w+)', sql)
    return f"{found[1]} {found[2]}" if found else ""


@pytest.fixture(autouse=True)
def _cast(alice: User, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    alice.set_password("correct horse battery staple")
    alice.save()


Steps: TypeAlias = Callable[[Browser], Work]


def _sign_up(browser: Browser) -> Work:
    return browser.page("/accounts/signup/", email="ADDRESS", password1=PASSWORD, name="Sam", organisation="Bakery")


def _sign_up_by_json(browser: Browser) -> Work:
    return browser.json("POST", "/auth/signup", email="ADDRESS", password=PASSWORD)


def _recover(browser: Browser) -> Work:
    return browser.page("/accounts/password/reset/", email="ADDRESS")


def _recover_by_json(browser: Browser) -> Work:
    return browser.json("POST", "/auth/password/request", email="ADDRESS")


ALIKE: dict[str, list[Steps]] = {
    "signing up, seeing the page for the code, a wrong code": [
        _sign_up,
        lambda browser: browser.see("/accounts/confirm-email/"),
        lambda browser: browser.page("/accounts/confirm-email/", code="WRONG"),
    ],
    "signing up with a weak password": [
        lambda browser: browser.page("/accounts/signup/", email="ADDRESS", password1="short")
    ],
    "signing up, asking for a new code twice and once too often": [
        _sign_up,
        *[lambda browser: browser.page("/accounts/confirm-email/", action="resend")] * 3,
    ],
    "signing up, three wrong codes": [
        _sign_up,
        *[lambda browser: browser.page("/accounts/confirm-email/", code="WRONG")] * 3,
        lambda browser: browser.see("/accounts/login/"),
    ],
    "signing in with a wrong password": [
        lambda browser: browser.page("/accounts/login/", login="ADDRESS", password="wrong")
    ],
    "recovering, seeing the page for the code, wrong codes": [
        _recover,
        lambda browser: browser.see("/accounts/password/reset/confirm/"),
        *[lambda browser: browser.page("/accounts/password/reset/confirm/", code="WRONG")] * 3,
    ],
    "recovering, asking for a new code twice and once too often": [
        _recover,
        *[lambda browser: browser.page("/accounts/password/reset/confirm/", action="resend")] * 3,
    ],
    "json: signing up, wrong codes": [
        _sign_up_by_json,
        lambda browser: browser.json("GET", "/auth/email/verify", {"X-Email-Verification-Key": "WRONG"}),
        *[lambda browser: browser.json("POST", "/auth/email/verify", key="WRONG")] * 3,
    ],
    "json: signing up, new codes": [
        _sign_up_by_json,
        *[lambda browser: browser.json("POST", "/auth/email/verify/resend")] * 3,
        lambda browser: browser.json("GET", "/auth/session"),
    ],
    "json: signing up with a weak password": [
        lambda browser: browser.json("POST", "/auth/signup", email="ADDRESS", password="ADDRESS")
    ],
    "json: logging in with a wrong password": [
        lambda browser: browser.json("POST", "/auth/login", email="ADDRESS", password="wrong")
    ],
    "json: recovering, looking whether a code is right": [
        _recover_by_json,
        *[lambda browser: browser.json("GET", "/auth/password/reset", {"X-Password-Reset-Key": "WRONG"})] * 4,
    ],
    "json: recovering, a wrong code with a weak password": [
        _recover_by_json,
        lambda browser: browser.json("POST", "/auth/password/reset", key="WRONG", password="1234"),
        lambda browser: browser.json("POST", "/auth/password/reset", key="WRONG", password="alice acme alice"),
        lambda browser: browser.json("POST", "/auth/password/reset", key="WRONG", password=PASSWORD),
        lambda browser: browser.json("POST", "/auth/password/reset", key="WRONG", password=PASSWORD),
    ],
    "json: recovering twice": [_recover_by_json, _recover_by_json],
}


@pytest.mark.parametrize("way", ALIKE)
def test_it_costs_the_same_and_is_answered_the_same(way: str) -> None:
    known, unknown = Browser(KNOWN), Browser(UNKNOWN)

    for number, step in enumerate(ALIKE[way]):
        one, other = step(known), step(unknown)
        assert one == other, f"step {number}"
        assert abs(one.looked_up - other.looked_up) <= 3, f"step {number}"


@pytest.mark.parametrize("path", ["page", "json"])
def test_a_new_address_costs_a_stranger_the_same_as_a_colleagues(path: str, bob_client: Client) -> None:
    works = []
    for address in (KNOWN, UNKNOWN):
        browser = Browser(address)
        assert browser.client.login(email="bob@example.org", password="correct horse battery staple")
        browser.page("/accounts/reauthenticate/", password="correct horse battery staple")
        if path == "json":
            browser.token = {"X-Session-Token": browser.client.session.session_key or ""}
            works.append(browser.json("POST", "/account/email", email="ADDRESS"))
        else:
            works.append(browser.page("/accounts/email/", email="ADDRESS", action_add=""))

    assert works[0] == works[1]
    assert [message.to for message in mail.outbox] == [[KNOWN], [UNKNOWN]]


def test_nothing_is_left_of_the_work_for_a_known_address() -> None:
    _sign_up(Browser(KNOWN))
    _sign_up_by_json(Browser(KNOWN))

    assert list(User.objects.values_list("email", flat=True)) == [KNOWN]
    assert Organisation.objects.count() == 1
    assert [message.subject for message in mail.outbox] == ["You already have an account"] * 2


def test_signing_up_hashes_one_password_and_recovering_none() -> None:
    assert _sign_up(Browser(KNOWN)).hashes == _sign_up(Browser(UNKNOWN)).hashes == 1
    assert _recover(Browser(KNOWN)).hashes == 0


def test_a_code_that_was_sent_a_moment_ago_refuses_both_alike_and_leaves_nobody(bob_client: Client) -> None:
    for address in (KNOWN, UNKNOWN):
        for send in (_sign_up, _sign_up_by_json):
            browser = Browser(address)
            # Bob is changing his address to it.
            cache.clear()
            bob_client.post("/accounts/reauthenticate/", {"password": "correct horse battery staple"})
            bob_client.post("/accounts/email/", {"email": address, "action_add": ""})
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(cache, "clear", lambda: None)
                assert send(browser).status == 429

    assert not User.objects.filter(email=UNKNOWN).exists()
