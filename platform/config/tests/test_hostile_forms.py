"""Whatever text comes in by whichever address, form or document: it is answered, never with an error of the server.

The walk takes every address from the product's list, and every form from the pages themselves: a new one is tried by
itself. The administration has a walk of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any, TypeAlias

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from accounts.tests.conftest import PASSWORD
from answers.models import Submission
from answers.submissions import start
from questionnaires.definition import Questionnaire

pytestmark = [pytest.mark.thorough, pytest.mark.django_db]

NUL = "a\0b@example.org"
NO_SITE = "http://["
ADDRESSES = (
    "a" * 300 + "@example.org",
    f"a@{'ä' * 50}.{'ö' * 50}.{'ü' * 50}.{'ß' * 50}.org",  # longer where the domain is spelled in ASCII
    "\ufdfa" * 200 + "@example.org",  # longer where one sign stands for eighteen
)
QUERY = ("next", "organisation", "page", "state", "questionnaire", "submission", "after", "wait", "email", "person")
OTHERS = ("admin/", "_allauth/", "graphql", "schemas/", "health", "metrics", "favicon.ico")
"""Whose text is tried below, elsewhere, or which take none."""
JSON_ROOT = "_allauth/app/v1/"

Send: TypeAlias = Callable[[], HttpResponseBase]


@contextmanager
def as_strict_as_postgresql() -> Iterator[None]:
    """SQLite takes a NUL in a text; PostgreSQL refuses the statement."""

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        for value in params or ():
            if isinstance(value, str) and "\0" in value:
                raise ValueError("A string literal cannot contain NUL (0x00) characters.")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield


def patterns(under: URLResolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the product, with the pattern that it belongs to."""
    for each in under.url_patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from patterns(each, route)
        else:
            yield route, each


def addresses(submission: Submission, text: str) -> list[str]:
    """Each page, with this text where the address has room for one."""
    known = {
        "submission_id": submission.pk,
        "submission": submission.pk,
        "report_id": submission.pk,
        "slug": "quick-check",
    }
    found = []
    for route, pattern in patterns(get_resolver()):
        if not route.startswith(OTHERS):
            names = pattern.pattern.converters or dict.fromkeys(pattern.pattern.regex.groupindex)
            assert pattern.name, route
            try:
                found.append(reverse(pattern.name, kwargs={name: known.get(name, text) for name in names}))
            except Exception:  # the text does not fit there
                found.append(reverse(pattern.name, kwargs={name: known.get(name, "abc") for name in names}))
    return found


class Forms(HTMLParser):
    """The fields of each form that is sent by POST, and where it goes."""

    def __init__(self, address: str, page: str) -> None:
        super().__init__()
        self.address = address
        self.found: list[tuple[str, dict[str, str]]] = []
        self.open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.open = given.get("method", "").lower() == "post"
            if self.open:
                self.found.append((given.get("action") or self.address, {}))
        elif self.open and tag in ("input", "textarea", "select", "button") and given.get("name"):
            self.found[-1][1][given["name"]] = given.get("value", "abc")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = False


@pytest.fixture
def submission(alice: User, quick_check: Questionnaire) -> Submission:
    return start(alice, quick_check.slug)


def browser_of(state: str, alice: User) -> Client:
    """One in a state in which pages differ."""
    browser = Client(raise_request_exception=False)
    if state == "signing up":
        browser.post("/accounts/signup/", {"email": "dora@example.org", "password1": "several plain words"})
    elif state == "recovering":
        browser.post("/accounts/password/reset/", {"email": alice.email})
    elif state == "Alice":
        browser.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
        browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
        assert browser.session["_auth_user_id"]
    return browser


def tries(browser: Client, address: str, tried: set[tuple[str, str]]) -> Iterator[tuple[str, Send]]:
    """What is sent to this address: texts in its query, in a header, and in each field of each of its forms."""
    for text in (NUL, NO_SITE):
        hostile = dict.fromkeys(QUERY, text)
        headers = {"Referer": f"{text}?organisation={text}"}
        yield f"?{text!r}", lambda h=hostile, r=headers: browser.get(address, h, headers=r)  # type: ignore[misc]
        yield f"post {text!r}", lambda h=hostile: browser.post(address, h)  # type: ignore[misc]
    page = browser.get(address)
    for action, fields in Forms(address, page.content.decode() if not page.streaming else "").found:
        for name in fields.keys() - {name for where, name in tried if where == action}:
            tried.add((action, name))
            for text in (NUL, *ADDRESSES) if name in ("email", "login") else (NUL,):
                filled = fields | {name: text}
                yield f"{action} {name} {text[:9]!r}", lambda a=action, f=filled: browser.post(a, f)  # type: ignore[misc]


@pytest.mark.parametrize("state", ["stranger", "signing up", "recovering", "Alice"])
def test_pages_and_forms_take_it(state: str, alice: User, submission: Submission) -> None:
    browser = browser_of(state, alice)
    failed, tried = [], {("/accounts/logout/", "csrfmiddlewaretoken")}
    for address in addresses(submission, "a\0b"):
        if address == reverse("account_logout"):
            continue
        with as_strict_as_postgresql():
            for place, send in tries(browser, address, tried):
                cache.clear()
                if send().status_code >= 500:
                    failed.append((address[:60], place[:60]))

    assert failed == []


def _documents(view: Any, text: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """For each method, the fields that it reads: each of them once with this text, the others with something plain."""
    classes = view.view_class.input_class
    plain = {"email": "alice@example.org", "password": PASSWORD, "key": "abc", "code": "123456"}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        if hasattr(view.view_class, method.lower()):
            reads = classes.get(method) if isinstance(classes, dict) else classes
            names = {*getattr(reads, "base_fields", {})} or set(plain)
            yield from ((method, {**plain, name: text}) for name in sorted(names))
            yield method, dict.fromkeys((*names, *plain, "current_password", "new_password", "primary"), text)


def token_in(state: str, alice: User) -> dict[str, str]:
    """The headers of a native client in this state."""
    password = {"password": PASSWORD}
    asked = {
        "signing up": ("auth/signup", {"email": "eve@example.org", **password}),
        "recovering": ("auth/password/request", {"email": alice.email}),
        "recovering nobody": ("auth/password/request", {"email": "nobody@example.org"}),
        "Alice": ("auth/login", {"email": alice.email, **password}),
    }
    if state not in asked:
        return {}
    path, sent = asked[state]
    answer = Client().post(f"/{JSON_ROOT}{path}", sent, "application/json")
    return {"X-Session-Token": answer.json()["meta"]["session_token"]}


@pytest.mark.parametrize("state", ["stranger", "signing up", "recovering", "recovering nobody", "Alice"])
def test_documents_of_native_clients_are_taken(state: str, alice: User) -> None:
    headers, failed = token_in(state, alice), []
    client = Client(raise_request_exception=False)
    views = [(route, each.callback) for route, each in patterns(get_resolver()) if route.startswith(JSON_ROOT)]
    for route, view in views:
        for text in (NUL, "\ud800", 10**400, [["a"]], None, *ADDRESSES[:2]):
            for method, sent in _documents(view, text):
                cache.clear()
                with as_strict_as_postgresql():
                    answer = client.generic(method, f"/{route}", json.dumps(sent), "application/json", headers=headers)
                if answer.status_code >= 500:
                    failed.append((method, route, [name for name, value in sent.items() if value is text]))

    assert failed == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[" * 100_000, "no_json"),
        (b'{"email": ' + b"[" * 100_000, "no_json"),
        (b'{"email": ' + b"9" * 5_000 + b"}", "no_json"),
        (b'{"email": "\\ud800"}', "half_character"),
        (b'{"a": {"b": ["\\udfff"]}}', "half_character"),
        (b'{"\\ud800": 1}', "half_character"),
        (b"\xff", "no_json"),
        (b"[]", "no_json"),
        (b'"' + b"x" * 3_000_000 + b'"', "too_large"),
    ],
    ids=["brackets", "brackets inside", "digits", "half", "half inside", "half a name", "no UTF-8", "list", "large"],
)
def test_a_body_that_is_no_document_is_refused_in_json(client: Client, body: bytes, code: str) -> None:
    answer = client.post("/_allauth/app/v1/auth/login", body, "application/json")

    assert answer.status_code == (413 if code == "too_large" else 400)
    assert answer.json()["errors"][0]["code"] == code
    assert mail.outbox == []


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 10_000], ids=["NUL", "half a character", "long"])
def test_a_save_takes_it(text: str, alice_client: Client, submission: Submission) -> None:
    alice_client.raise_request_exception = False
    question = "mfa"
    for change in (
        {"question": text, "value": None, "version": 0},
        {"question": question, "value": text, "version": 0},
        {"question": question, "value": None, "note": text, "version": 0},
        {"question": question, "value": {text: text}, "version": 0},
    ):
        with as_strict_as_postgresql():
            address = reverse("submission-autosave", args=[submission.pk])
            answer = alice_client.post(address, json.dumps({"changes": [change]}), "application/json")
        assert answer.status_code in (200, 400), change
