"""The headers of answers, by the rules of Mozilla's HTTP Observatory: https://developer.mozilla.org/observatory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from config.environment import ROOT
from conftest import PASSWORD
from contracts import rolling
from questionnaires.definition import Questionnaire

pytestmark = pytest.mark.django_db

YEAR = 365 * 86_400


@pytest.fixture
def https(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `BASE_URL=https://...` in production, after an upgrade."""
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = YEAR
    monkeypatch.setattr(rolling, "_oldest", (0, 3, 0))


def _policy(answer: Any) -> dict[str, str]:
    directives = (part.strip().partition(" ") for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: value for name, _space, value in directives}


def _has_a_strict_policy(answer: Any) -> bool:
    """Nothing is loaded that is not named, nothing inline, and forms go nowhere else."""
    policy = _policy(answer)
    loose = [value for value in policy.values() if re.search(r"unsafe|\*|https?:", value)]
    data = [name for name, value in policy.items() if "data:" in value]
    return policy["default-src"] == "'none'" and policy["form-action"] == "'self'" and not loose and data == ["img-src"]


def _has_safe_cookies(answer: Any) -> bool:
    """All Secure and SameSite, sessions HttpOnly; that of forms' tokens is read by scripts."""
    cookies = answer.cookies
    return all(
        morsel["secure"] and morsel["samesite"] in ("Lax", "Strict") and (morsel["httponly"] or "csrf" in name)
        for name, morsel in cookies.items()
    )


def _loads_only_own_scripts(answer: Any) -> bool:
    scripts = re.findall(r"<script[^>]*>", answer.content.decode())
    return all(re.search(r' src="/static/', script) for script in scripts)


def _header(name: str, value: str) -> Callable[[Any], bool]:
    return lambda answer: bool(answer.headers.get(name) == value)


RULES: dict[str, tuple[int, Callable[[Any], bool]]] = {
    "csp-implemented-with-no-unsafe-default-src-none": (10, _has_a_strict_policy),
    "cookies-secure-with-httponly-sessions-and-samesite": (5, _has_safe_cookies),
    "cross-origin-resource-sharing-not-implemented": (0, lambda answer: "Access-Control-Allow-Origin" not in answer),
    "referrer-policy-private": (5, _header("Referrer-Policy", "same-origin")),
    "hsts-implemented-max-age-at-least-six-months": (0, _header("Strict-Transport-Security", f"max-age={YEAR}")),
    "sri-not-implemented-but-all-scripts-loaded-from-secure-origin": (0, _loads_only_own_scripts),
    "x-content-type-options-nosniff": (0, _header("X-Content-Type-Options", "nosniff")),
    "x-frame-options-implemented-via-csp": (5, lambda answer: _policy(answer)["frame-ancestors"] == "'none'"),
    "cross-origin-resource-policy-implemented-with-same-origin": (
        10,
        _header("Cross-Origin-Resource-Policy", "same-origin"),
    ),
}
"""The best outcome of each test that this product can have, with the points that it adds to 100. Redirection (0) has a
test of its own. Two more can't be had: 5 for the preload list of HSTS, which binds all hosts of the operator's domain,
and 5 for hashes of the product's own scripts, which would refuse new scripts on old pages while an upgrade rolls."""


@pytest.mark.parametrize("page", ["/", "/accounts/login/", "/accounts/signup/", "/nothing-here/", "/questionnaires/"])
def test_every_page_has_the_most_points(https: None, page: str, quick_check: Questionnaire, alice: User) -> None:
    browser = Client()
    if page == "/questionnaires/":
        browser.get("/accounts/login/", secure=True)
        browser.post("/accounts/login/", {"login": alice.email, "password": PASSWORD}, secure=True)
    answer = browser.get(page, secure=True)

    assert [rule for rule, (_points, holds) in RULES.items() if not holds(answer)] == []
    assert 100 + sum(points for points, _holds in RULES.values()) == 135


def test_plain_http_is_led_to_the_same_host_by_https(https: None, client: Client) -> None:
    answer = client.get("/accounts/login/?next=/reports/")

    assert (answer.status_code, answer["Location"]) == (301, "https://testserver/accounts/login/?next=/reports/")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("page", ["/", "/health", "/static/css/plumbline.css", "/nothing/", "/schemas/none.json"])
def test_no_answer_is_without_them(client: Client, page: str) -> None:
    answer = client.get(page)

    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "camera=(), " in answer.headers["Permissions-Policy"]


def test_what_the_policy_of_permissions_names_is_off() -> None:
    from config.headers import OFF, PERMISSIONS

    assert re.fullmatch(r"([a-z-]+=\(\)(, |$))+", PERMISSIONS)
    assert list(OFF) == sorted(set(OFF))


@pytest.mark.parametrize(
    "page",
    [
        "/",
        "/questionnaires/",
        "/reports/",
        "/accounts/email/",
        "/accounts/password/change/",
        "/accounts/2fa/",
        "/accounts/logout/",
        "/nothing-here/",
        "/_allauth/app/v1/auth/session",
    ],
)
def test_nothing_that_a_signed_in_person_sees_is_kept(page: str, alice_client: Client, quick_check: object) -> None:
    assert "no-store" in alice_client.get(page).headers["Cache-Control"]


@pytest.mark.parametrize("page", ["/accounts/login/", "/accounts/password/reset/", "/accounts/confirm-email/"])
def test_pages_that_may_name_a_person_are_not_kept_either(page: str, client: Client) -> None:
    assert "no-store" in client.get(page).headers["Cache-Control"]


def test_what_is_the_same_for_everybody_may_be_kept(client: Client) -> None:
    assert "Cache-Control" not in client.get("/").headers
    assert "no-store" not in client.get("/static/css/plumbline.css").headers["Cache-Control"]


@pytest.mark.parametrize("address", ["/accounts/logout/", "/admin/logout/"])
def test_a_sign_out_lets_the_browser_forget(address: str, admin_user: User) -> None:
    browser = Client()
    browser.force_login(admin_user)
    assert "Clear-Site-Data" not in browser.get("/").headers

    assert browser.post(address).headers["Clear-Site-Data"] == '"cache", "storage"'

    assert "Clear-Site-Data" not in browser.post(address).headers  # nobody is signed in any more


SHOW = "from config import settings as s; print(s.SECURE_HSTS_SECONDS, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE)"


@pytest.mark.process
def test_in_production_they_are_on_without_a_word() -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}",
        "DATABASE_URL": "postgresql://plumbline@127.0.0.1/plumbline",
        "REDIS_URL": "redis://127.0.0.1/0",
        "BASE_URL": "https://plumbline.example.org",
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO",
        "SIGNUP": "closed",
        "TRUSTED_PROXIES": "1",
    }
    done = subprocess.run([sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True, timeout=60)

    assert (done.stdout, done.stderr) == (f"{YEAR} True True\n", "")
