"""Signing up: code, organisation, and nothing learnt about who is already here."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.http import HttpRequest
from django.test import Client

from accounts.adapter import AccountAdapter
from accounts.models import Organisation, User

pytestmark = pytest.mark.django_db
PASSWORD = "several plain words"
SIGNUP = {"email": "Dora@Example.org", "password1": PASSWORD, "name": "Dora", "organisation": "Dora & Co"}


def code_from(message: mail.EmailMessage) -> str:
    """The code that a mail carries."""
    found = re.search(r"^(\S+)\n\nis the code", str(message.body), re.MULTILINE)
    assert found, message.body
    return found[1]


def test_a_person_signs_up_confirms_by_code_and_has_an_organisation(client: Client) -> None:
    response = client.post("/accounts/signup/", SIGNUP)
    assert response.headers["Location"] == "/accounts/confirm-email/"
    assert "_auth_user_id" not in client.session

    response = client.post("/accounts/confirm-email/", {"code": code_from(mail.outbox[0])})

    assert response.headers["Location"] == "/questionnaires/"
    dora = User.objects.get(email="dora@example.org")
    assert (dora.name, dora.organisation.name) == ("Dora", "Dora & Co")
    assert client.session["_auth_user_id"] == str(dora.pk)
    assert not dora.is_staff
    assert not dora.is_superuser


@pytest.mark.parametrize(
    ("names", "organisation"),
    [
        ({"name": "Sam Miller"}, "Sam Miller's organisation"),
        ({}, "Organisation of info@example.org"),
        ({"name": "  ", "organisation": " \t"}, "Organisation of info@example.org"),
        ({"name": "x" * 120}, f"{'x' * 105}'s organisation"),
    ],
)
def test_an_organisation_without_a_name_is_called_after_its_person(
    client: Client, names: dict[str, str], organisation: str
) -> None:
    client.post("/accounts/signup/", {"email": "info@example.org", "password1": PASSWORD, **names})

    assert User.objects.get().organisation.name == organisation


def test_by_json_an_organisation_is_called_after_its_person_too(client: Client) -> None:
    person = {"email": "info@exämple.de", "password": PASSWORD}
    client.post("/_allauth/app/v1/auth/signup", person, "application/json")

    assert User.objects.get().organisation.name == "Organisation of info@exämple.de"


def test_the_form_says_what_the_name_is_for_and_how_colleagues_come_together(client: Client) -> None:
    page = client.get("/accounts/signup/").content.decode()

    assert "If you leave it empty, the organisation is named after you. You sign up with a new organisation." in page
    assert "ask the administrator of this installation to add you to theirs" in page


def test_a_name_that_exists_is_taken_without_a_word(client: Client, alice: User) -> None:
    response = client.post("/accounts/signup/", SIGNUP | {"organisation": alice.organisation.name})

    assert response.headers["Location"] == "/accounts/confirm-email/"
    assert Organisation.objects.filter(name="Acme").count() == 2


def test_a_name_is_cleaned_of_what_nobody_sees(client: Client) -> None:
    names = {"name": "Do\u200bra\u202e", "organisation": "Dora\x0b&\u00a0\u00a0Co\u0007"}
    client.post("/accounts/signup/", SIGNUP | names)

    dora = User.objects.get()
    assert (dora.name, dora.organisation.name) == ("Dora", "Dora & Co")


@pytest.mark.parametrize("field", ["name", "organisation"])
@pytest.mark.parametrize("name", ["\u200b\u200d", "\u202e", "\u3164", "\u2800", "\u0301", "\ufe0f"])
def test_a_name_that_nobody_sees_is_refused(client: Client, field: str, name: str) -> None:
    page = client.post("/accounts/signup/", SIGNUP | {field: name}).content.decode()

    assert "Nobody can see this name." in page
    assert not User.objects.exists()


def test_nothing_is_cut_off_by_the_browser(client: Client) -> None:
    assert "maxlength" not in client.get("/accounts/signup/").content.decode()


def test_next_survives_the_code(client: Client) -> None:
    client.post("/accounts/signup/?next=/reports/", SIGNUP | {"next": "/reports/"})

    response = client.post("/accounts/confirm-email/", {"code": code_from(mail.outbox[0])})

    assert response.headers["Location"] == "/reports/"


def test_nobody_signs_in_before_the_address_is_confirmed(client: Client) -> None:
    client.post("/accounts/signup/", SIGNUP)
    other_browser = Client()
    cache.clear()  # two codes within ten seconds would be too many

    response = other_browser.post("/accounts/login/", {"login": "dora@example.org", "password": PASSWORD})

    assert response.headers["Location"] == "/accounts/confirm-email/"
    assert "_auth_user_id" not in other_browser.session


def test_a_wrong_code_does_not_confirm(client: Client) -> None:
    client.post("/accounts/signup/", SIGNUP)

    response = client.post("/accounts/confirm-email/", {"code": "WRONG-CODE"})

    assert response.status_code == 200
    assert "_auth_user_id" not in client.session


def test_after_three_wrong_codes_the_right_one_is_worth_nothing(client: Client) -> None:
    client.post("/accounts/signup/", SIGNUP)
    for _ in range(3):
        client.post("/accounts/confirm-email/", {"code": "WRONG-CODE"})

    client.post("/accounts/confirm-email/", {"code": code_from(mail.outbox[0])})

    assert "_auth_user_id" not in client.session


def test_a_known_address_looks_exactly_like_a_new_one(client: Client, alice: User) -> None:
    stranger = Client()
    new = client.post("/accounts/signup/", SIGNUP)
    known = stranger.post("/accounts/signup/", SIGNUP | {"email": alice.email})

    assert (known.status_code, known.headers["Location"]) == (new.status_code, new.headers["Location"])
    new_page = client.get("/accounts/confirm-email/").content.decode().replace("dora@example.org", "X")
    known_page = stranger.get("/accounts/confirm-email/").content.decode().replace(alice.email, "X")
    assert _without_tokens(known_page) == _without_tokens(new_page)
    assert User.objects.filter(email=alice.email).count() == 1
    assert Organisation.objects.count() == 2


def test_the_owner_of_a_known_address_is_told_by_mail(client: Client, alice: User) -> None:
    client.post("/accounts/signup/", SIGNUP | {"email": alice.email})

    assert mail.outbox[0].to == [alice.email]
    assert mail.outbox[0].subject == "You already have an account"
    assert "/accounts/password/reset/" in mail.outbox[0].body


def test_of_two_sign_ups_at_the_same_moment_the_later_finds_a_known_address(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_just_before_the_other_one_saves(adapter: AccountAdapter, request: HttpRequest) -> User:
        User.objects.create_user("dora@example.org", "the other one's password")
        return User()

    monkeypatch.setattr(AccountAdapter, "new_user", look_just_before_the_other_one_saves)

    response = client.post("/accounts/signup/", SIGNUP)

    assert response.headers["Location"] == "/accounts/confirm-email/"
    assert mail.outbox[0].subject == "You already have an account"
    assert User.objects.get().check_password("the other one's password")
    assert Organisation.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "form", "link"),
    [
        ("/accounts/signup/", SIGNUP | {"email": "alice@example.org"}, "/accounts/password/reset/"),
        ("/accounts/password/reset/", {"email": "nobody@example.org"}, "/accounts/signup/"),
    ],
)
def test_the_links_in_mails_lead_to_the_base_url_whatever_host_was_asked(
    client: Client, alice: User, path: str, form: dict[str, str], link: str
) -> None:
    client.post(path, form, headers={"Host": "127.0.0.1:6666"})

    text = str(mail.outbox[0].body)
    assert f"\nhttp://localhost:8000{link}\n" in text
    assert text.rstrip().endswith("Plumbline on localhost:8000")
    assert "6666" not in text


def test_a_weak_password_makes_nobody(client: Client) -> None:
    response = client.post("/accounts/signup/", SIGNUP | {"password1": "dora@example.org"})

    assert b"too similar" in response.content
    assert not User.objects.exists()
    assert not Organisation.objects.exists()
    assert mail.outbox == []


def test_a_name_that_is_too_long_is_refused(client: Client) -> None:
    response = client.post("/accounts/signup/", SIGNUP | {"organisation": "x" * 121})

    assert b"at most 120 characters (it has 121)" in response.content
    assert not User.objects.exists()


def _without_tokens(page: str) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)


def test_the_page_after_signing_up_says_once_that_a_code_was_sent(client: Client) -> None:
    page = client.post("/accounts/signup/", SIGNUP, follow=True).content.decode()

    assert page.count("A mail is on its way to") == 1
    assert "A code is on its way" not in page


def test_who_asks_for_a_new_code_is_told_that_it_is_on_its_way(client: Client) -> None:
    client.post("/accounts/signup/", SIGNUP)
    cache.clear()  # two codes within ten seconds would be too many

    page = client.post("/accounts/confirm-email/", {"action": "resend"}, follow=True).content.decode()

    assert "A code is on its way to dora@example.org." in page
