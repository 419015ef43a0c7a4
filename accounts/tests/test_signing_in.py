"""Signing in and out, recovering a password, and the limits on guessing."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"  # of the cast
NEW_PASSWORD = "another few plain words"
RULES = "At least 10 characters; several words are easy to remember."


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: str) -> str:
    """Post the form; the address to which it leads, or nothing where it was refused."""
    response = client.post("/accounts/login/", {"login": email, "password": password, **more})
    return response.headers.get("Location", "")


def test_a_person_signs_in_and_lands_at_the_questionnaires(client: Client, alice: User) -> None:
    assert sign_in(client, "Alice@Example.org") == "/questionnaires/"
    assert client.session["_auth_user_id"] == str(alice.pk)


@pytest.mark.parametrize("address", ["/questionnaires/", "/reports/", "/accounts/email/", "/accounts/password/change/"])
def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(client: Client, alice: User, address: str) -> None:
    response = client.get(address)

    assert response.headers["Location"] == f"/accounts/login/?next={address}"
    assert sign_in(client, alice.email, next=address) == address


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_next_never_leads_to_another_site(client: Client, alice: User, elsewhere: str) -> None:
    assert sign_in(client, alice.email, next=elsewhere) == "/questionnaires/"


def test_a_wrong_password_and_an_unknown_address_read_the_same(client: Client, alice: User) -> None:
    wrong = client.post("/accounts/login/", {"login": alice.email, "password": "no"})
    unknown = client.post("/accounts/login/", {"login": "nobody@example.org", "password": "no"})

    assert wrong.status_code == unknown.status_code == 200
    assert _plain(wrong.content, alice.email) == _plain(unknown.content, "nobody@example.org")


def test_somebody_switched_off_cannot_sign_in(client: Client, alice: User) -> None:
    alice.is_active = False
    alice.save()

    sign_in(client, alice.email)

    assert "_auth_user_id" not in client.session


def test_signing_out_needs_a_post(alice_client: Client) -> None:
    assert alice_client.get("/accounts/logout/").status_code == 200
    assert "_auth_user_id" in alice_client.session

    assert alice_client.post("/accounts/logout/").headers["Location"] == "/"
    assert "_auth_user_id" not in alice_client.session


def test_a_form_from_elsewhere_signs_nobody_out(alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)

    assert strict.post("/accounts/logout/").status_code == 403
    assert "_auth_user_id" in strict.session


def test_the_session_cookie_is_out_of_reach_for_scripts_and_other_sites(client: Client, alice: User) -> None:
    sign_in(client, alice.email)

    cookie = client.cookies["sessionid"]
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"


def test_a_password_is_recovered_by_code(client: Client, alice: User) -> None:
    response = client.post("/accounts/password/reset/", {"email": alice.email})
    assert response.headers["Location"] == "/accounts/password/reset/confirm/"
    found = re.search(r"^(\S+)\n\nis the code", str(mail.outbox[0].body), re.MULTILINE)
    assert found
    client.post("/accounts/password/reset/confirm/", {"code": found[1]})

    assert RULES in client.get("/accounts/password/reset/complete/").content.decode()
    client.post("/accounts/password/reset/complete/", {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    assert sign_in(Client(), alice.email) == ""
    assert sign_in(Client(), alice.email, NEW_PASSWORD) == "/questionnaires/"
    assert mail.outbox[1].subject == "Your password was recovered"


def test_recovering_tells_nobody_who_has_an_account(client: Client, alice: User) -> None:
    stranger = Client()
    known = client.post("/accounts/password/reset/", {"email": alice.email})
    unknown = stranger.post("/accounts/password/reset/", {"email": "nobody@example.org"})

    assert (known.status_code, known.headers["Location"]) == (unknown.status_code, unknown.headers["Location"])
    known_page = client.get("/accounts/password/reset/confirm/").content
    unknown_page = stranger.get("/accounts/password/reset/confirm/").content
    assert _plain(known_page, alice.email) == _plain(unknown_page, "nobody@example.org")
    assert [message.subject.split()[-1] for message in mail.outbox] == ["password", "address"]


def test_guessing_a_password_ends_in_a_refusal_even_of_the_right_one(client: Client, alice: User) -> None:
    for _ in range(5):
        sign_in(client, alice.email, "a wrong guess")

    response = client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})

    assert b"Too many failed attempts" in response.content
    assert "_auth_user_id" not in client.session


def test_too_many_requests_get_a_friendly_page(client: Client) -> None:
    for number in range(120):
        client.post("/accounts/password/reset/", {"email": f"{number}@example.org"})

    response = client.post("/accounts/password/reset/", {"email": "121@example.org"})

    assert response.status_code == 429
    assert b"That was a little too often" in response.content


def test_every_page_says_the_rules_of_a_password_in_the_same_sentence(client: Client, alice_client: Client) -> None:
    for page in (client.get("/accounts/signup/"), alice_client.get("/accounts/password/change/")):
        words = page.content.decode()
        assert RULES in words
        assert "Your password must" not in words


def test_changing_the_password_keeps_this_browser_and_drops_the_others(alice: User) -> None:
    here, there = Client(), Client()
    sign_in(here, alice.email)
    sign_in(there, alice.email)

    form = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    here.post("/accounts/password/change/", form)

    assert here.get("/accounts/email/").status_code == 200
    assert there.get("/accounts/email/").status_code == 302


def test_a_new_address_needs_the_password_and_counts_only_after_its_code(client: Client, alice: User) -> None:
    sign_in(client, alice.email)
    response = client.post("/accounts/email/", {"email": "alice@new.example", "action_add": ""})
    assert response.headers["Location"] == "/accounts/reauthenticate/?next=%2Faccounts%2Femail%2F"
    client.post(response.headers["Location"], {"password": PASSWORD, "next": "/accounts/email/"})
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"
    found = re.search(r"^(\S+)\n\nis the code", str(mail.outbox[-1].body), re.MULTILINE)
    assert found

    client.post("/accounts/confirm-email/", {"code": found[1]})

    alice.refresh_from_db()
    assert alice.email == "alice@new.example"
    assert sign_in(Client(), "alice@new.example") == "/questionnaires/"


def _plain(page: bytes, email: str) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page.decode()).replace(email, "X")
