"""What holds for every page: a strict policy, nothing inline, a label for each field, errors in human words."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.core import mail
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from accounts import setup
from accounts.models import User
from accounts.tests.conftest import PASSWORD, Protected, confirm

pytestmark = pytest.mark.django_db

ANONYMOUS = ["/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/accounts/inactive/"]
SIGNED_IN = [
    "/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/sessions/",
    "/accounts/logout/",
    "/accounts/reauthenticate/",
]
SECOND_FACTOR = ["", "recovery-codes/", "recovery-codes/generate/", "totp/deactivate/", "reauthenticate/"]
ERRORS = ["400.html", "403.html", "403_csrf.html", "404.html", "405.html", "429.html", "500.html"]


class Page(HTMLParser):
    """What a page holds that a strict policy would block, and which fields and labels it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.fields: set[str] = set()
        self.labels: set[str] = set()
        self.headings = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.inline += [f"{tag} {name}" for name in named if name == "style" or name.startswith("on")]
        self.inline += [tag] if tag == "style" or (tag == "script" and "src" not in named) else []
        self.headings += tag == "h1"
        if tag in ("input", "select", "textarea") and named.get("type") != "hidden":
            self.fields.add(named.get("id") or "without an id")
        if tag == "label":
            self.labels.add(named.get("for") or "")


def check(text: str) -> None:
    """One heading, nothing inline, every field labelled, no placeholder in a label's stead."""
    page = Page(text)
    assert page.inline == []
    assert page.headings == 1
    assert page.fields <= page.labels
    assert "placeholder=" not in text


@pytest.mark.parametrize("path", ANONYMOUS)
def test_public_pages_are_clean(client: Client, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 200
    check(response.content.decode())


@pytest.mark.parametrize("path", SIGNED_IN)
def test_pages_of_a_person_are_clean(alice_client: Client, path: str) -> None:
    response = alice_client.get(path)

    assert response.status_code == 200
    check(response.content.decode())


@pytest.mark.django_db(transaction=True)
def test_the_pages_of_the_second_factor_are_clean(protected: Protected, bob: User) -> None:
    for path in SECOND_FACTOR:
        check(protected.browser.get(f"/accounts/2fa/{path}").content.decode())
    check(protected.begin().get("/accounts/2fa/authenticate/").content.decode())
    check(protected.begin().post("/accounts/2fa/authenticate/", {"code": "1"}).content.decode())

    other = Client()
    other.force_login(bob)
    check(other.get("/accounts/2fa/").content.decode())
    confirm(other)
    check(other.get("/accounts/2fa/totp/activate/").content.decode())
    check(other.post("/accounts/2fa/totp/activate/", {"code": "1"}).content.decode())


def test_the_pages_on_the_way_are_clean(client: Client) -> None:
    client.post("/accounts/signup/", {"email": "dora@example.org", "password1": "several plain words"})
    check(client.get("/accounts/confirm-email/").content.decode())

    client.post("/accounts/password/reset/", {"email": "dora@example.org"})
    check(client.get("/accounts/password/reset/confirm/").content.decode())


def test_the_setup_page_is_clean(client: Client) -> None:
    path = setup.create_setup_link()
    assert path
    check(client.get(path).content.decode())
    check(client.post(path, {}).content.decode())
    assert setup.create_setup_link()
    check(client.get(path).content.decode())
    client.post(str(setup.create_setup_link()), {"email": "a@b.org", "password": PASSWORD, "organisation": "Acme"})
    check(client.get("/accounts/first-steps/").content.decode())
    check(Client().get(path).content.decode())


@pytest.mark.parametrize("template", ERRORS)
def test_error_pages_are_clean(template: str, rf: RequestFactory) -> None:
    check(render_to_string(template, request=rf.get("/")))


def test_the_page_of_last_resort_asks_for_nothing() -> None:
    assert "{%" not in render_to_string("500.html")


def test_every_page_carries_a_strict_policy(client: Client) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "unsafe" not in policy


def test_an_unknown_address_is_a_page_of_ours(client: Client) -> None:
    response = client.get("/no-such-page/")

    assert response.status_code == 404
    assert b"There is nothing here" in response.content


def test_a_mistake_is_summed_up_and_tied_to_its_field(client: Client) -> None:
    text = client.post("/accounts/signup/", {"email": "no address", "password1": ""}).content.decode()

    check(text)
    assert re.search(r'class="error-summary" role="alert" tabindex="-1" autofocus', text)
    assert 'href="#id_email"' in text
    assert re.search(r'<input[^>]+name="email"[^>]+aria-invalid="true"[^>]+aria-describedby="id_email_error"', text)
    assert 'id="id_email_error"' in text


def test_staff_find_the_administration_and_others_do_not(alice_client: Client, admin_user: User) -> None:
    staff = Client()
    staff.force_login(admin_user)

    assert b'href="/admin/"' not in alice_client.get("/").content
    assert b'href="/admin/"' in staff.get("/").content


def test_labels_are_in_sentence_case(alice_client: Client) -> None:
    page = alice_client.get("/accounts/password/change/").content.decode()

    labels = re.findall(r"<label[^>]*>([^<]+)</label>", page)
    assert labels == ["Current password", "New password", "New password (again)"]


def _title(page: str) -> str:
    found = re.search(r"<title>([^<]+)</title>", page)
    assert found, page
    return found[1]


def _is_told(page: str) -> bool:
    """Whether the title says that something is wrong, and the summary takes the focus."""
    summary = re.search(r'<div class="error-summary" role="alert" tabindex="-1" autofocus>', page)
    return _title(page).startswith("Error: ") and summary is not None


@pytest.mark.parametrize(
    ("path", "mistake"),
    [
        ("/accounts/signup/", {"email": "no address"}),
        ("/accounts/login/", {"login": "alice@example.org", "password": "wrong"}),
        ("/accounts/password/reset/", {"email": ""}),
    ],
)
def test_the_title_of_a_form_with_a_mistake_says_so(
    client: Client, alice: User, path: str, mistake: dict[str, str]
) -> None:
    assert not _title(client.get(path).content.decode()).startswith("Error")
    assert _is_told(client.post(path, mistake).content.decode())


@pytest.mark.parametrize(
    ("path", "mistake"),
    [
        ("/accounts/email/", {"email": "alice@example.org", "action_add": ""}),
        ("/accounts/password/change/", {"oldpassword": "wrong"}),
        ("/accounts/reauthenticate/", {"password": "wrong"}),
    ],
)
def test_so_does_that_of_an_account_page(alice_client: Client, path: str, mistake: dict[str, str]) -> None:
    alice_client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert not _title(alice_client.get(path).content.decode()).startswith("Error")
    assert _is_told(alice_client.post(path, mistake).content.decode())


def test_so_do_those_on_the_way_and_at_setup(client: Client, alice: User) -> None:
    client.post("/accounts/password/reset/", {"email": alice.email})
    assert _is_told(client.post("/accounts/password/reset/confirm/", {"code": "wrong"}).content.decode())
    found = re.search(r"^(\S+)\n\nis the code", str(mail.outbox[0].body), re.MULTILINE)
    assert found
    client.post("/accounts/password/reset/confirm/", {"code": found[1]})
    mistake = {"password1": "short", "password2": "other"}
    assert _is_told(client.post("/accounts/password/reset/complete/", mistake).content.decode())
    assert _is_told(Client().post(str(setup.create_setup_link()), {}).content.decode())
    browser = Client()
    browser.post("/accounts/signup/", {"email": "dora@example.org", "password1": PASSWORD})
    assert _is_told(browser.post("/accounts/confirm-email/", {"code": "wrong"}).content.decode())


@pytest.mark.django_db(transaction=True)
def test_so_do_those_of_the_second_factor(protected: Protected, bob: User) -> None:
    assert _is_told(protected.begin().post("/accounts/2fa/authenticate/", {"code": "1"}).content.decode())
    assert _is_told(protected.browser.post("/accounts/2fa/reauthenticate/", {"code": "1"}).content.decode())
    other = Client()
    other.force_login(bob)
    confirm(other)
    assert _is_told(other.post("/accounts/2fa/totp/activate/", {"code": "1"}).content.decode())


def test_so_do_those_of_the_administration(admin_user: User, alice: User) -> None:
    desk = Client()
    desk.force_login(admin_user)
    for path in ("user/add/", f"user/{alice.pk}/change/", f"user/{alice.pk}/password/", "organisation/add/"):
        page = desk.post(f"/admin/accounts/{path}", {"email": "", "name": ""} | NO_MEMBERSHIPS).content.decode()
        assert _title(page).strip().startswith("Error: "), path


NO_MEMBERSHIPS = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
