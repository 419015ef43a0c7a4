"""People with a second factor."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.test import Client

from accounts.models import User
from accounts.tests import phone

PASSWORD = "correct horse battery staple"


@dataclass
class Clock:
    """The time by which codes are checked; it stands still, so that no code expires in the middle of a test."""

    now: float = 1_800_000_000.0

    def next_code(self) -> None:
        self.now += phone.PERIOD


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(auth, "time", SimpleNamespace(time=lambda: clock.now))
    return clock


@dataclass
class Protected:
    """Somebody who has switched the second factor on, in a browser that is signed in."""

    user: User
    browser: Client
    secret: str
    clock: Clock

    @property
    def code(self) -> str:
        return phone.code(self.secret, self.clock.now)

    @property
    def recovery_codes(self) -> list[str]:
        """Those that are left."""
        found: list[str] = Authenticator.objects.get(user=self.user, type="recovery_codes").wrap().get_unused_codes()
        return found

    def begin(self) -> Client:
        """A browser in which the password was entered, and no code."""
        browser = Client()
        response = browser.post("/accounts/login/", {"login": self.user.email, "password": PASSWORD})
        assert response.headers["Location"] == "/accounts/2fa/authenticate/"
        return browser

    def sign_in(self) -> Client:
        """A browser in which both were entered."""
        browser = self.begin()
        self.clock.next_code()
        response = browser.post("/accounts/2fa/authenticate/", {"code": self.code})
        assert response.headers["Location"] == "/questionnaires/", response.content.decode()
        return browser


def confirm(browser: Client) -> None:
    """Enter the password once more, as changes ask for."""
    assert browser.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302


def switch_on(user: User, clock: Clock) -> Protected:
    """Do it as the person does."""
    browser = Client()
    browser.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    confirm(browser)
    page = browser.get("/accounts/2fa/totp/activate/").content.decode()
    found = re.search(r'<p class="secret">([A-Z2-7 ]+)</p>', page)
    assert found, page
    protected = Protected(user, browser, found[1], clock)
    response = browser.post("/accounts/2fa/totp/activate/", {"code": protected.code})
    assert response.headers["Location"] == "/accounts/2fa/recovery-codes/", response.content.decode()
    user.refresh_from_db()
    return protected


@pytest.fixture
def protected(transactional_db: None, alice: User, clock: Clock) -> Protected:
    """Alice, with a second factor."""
    return switch_on(alice, clock)


@pytest.fixture
def protected_admin(transactional_db: None, admin_user: User, clock: Clock) -> Protected:
    """Ada, with a second factor."""
    return switch_on(admin_user, clock)
