"""An address is the same however it is written: on pages, by JSON, in the administration, at setup and in commands."""

from __future__ import annotations

import re
from importlib import import_module
from types import SimpleNamespace

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts import setup
from accounts.models import Organisation, User
from accounts.tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
KEPT = "info@xn--exmple-cua.de"
WRITTEN = ["info@exämple.de", "Info@EXÄMPLE.de", KEPT, "info@exa\u0308mple.de"]
OUTSIDE_ASCII = "jörg@exämple.de"
REASON = "send mail to an address with “ö” before the @"
JSON = "/_allauth/app/v1"


def _post_json(path: str, **values: str) -> tuple[int, str]:
    answer = Client().post(f"{JSON}{path}", values, "application/json")
    return answer.status_code, answer.content.decode()


@pytest.fixture
def info(db: None) -> User:
    return User.objects.create_user("info@exämple.de", PASSWORD, name="Inge")


def test_one_person_is_not_two(info: User) -> None:
    assert info.email == KEPT
    assert EmailAddress.objects.get(user=info).email == KEPT
    for written in WRITTEN:
        cache.clear()
        Client().post("/accounts/signup/", {"email": written, "password1": "several plain words"})
        _post_json("/auth/signup", email=written, password="several plain words")

    assert User.objects.count() == 1
    assert {message.subject for message in mail.outbox} == {"You already have an account"}


@pytest.mark.parametrize("written", WRITTEN)
def test_the_person_signs_in_however_they_write_it(info: User, written: str) -> None:
    response = Client().post("/accounts/login/", {"login": written, "password": PASSWORD})

    assert response.headers["Location"] == "/questionnaires/"
    assert _post_json("/auth/login", email=written, password=PASSWORD)[0] == 200


@pytest.mark.parametrize("written", WRITTEN)
def test_the_person_recovers_the_password_however_they_write_it(info: User, written: str) -> None:
    Client().post("/accounts/password/reset/", {"email": written})
    _post_json("/auth/password/request", email=written)

    assert [message.to for message in mail.outbox] == [[KEPT], [KEPT]]
    for message in mail.outbox:
        assert re.search("is the code that you need to set a new password", str(message.body))


def test_a_changed_address_is_kept_in_ascii_and_shown_as_it_is_written(alice: User, alice_client: Client) -> None:
    alice_client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = alice_client.post("/accounts/email/", {"email": "alice@exämple.de", "action_add": ""}, follow=True)

    assert "alice@exämple.de" in page.content.decode()
    assert mail.outbox[0].to == ["alice@xn--exmple-cua.de"]
    code = str(mail.outbox[0].body).splitlines()[2]
    alice_client.post("/accounts/confirm-email/", {"code": code})
    alice.refresh_from_db()
    assert alice.email == "alice@xn--exmple-cua.de"
    assert "alice@exämple.de" in alice_client.get("/accounts/email/").content.decode()
    assert "xn--" not in alice_client.get("/").content.decode()


def test_the_administration_takes_it_once(admin_user: User, info: User) -> None:
    desk = Client()
    desk.force_login(admin_user)
    form = {"email": "info@exämple.de", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}

    page = desk.post("/admin/accounts/user/add/", form | {"organisation": str(info.organisation.pk)}).content.decode()

    assert "Another person has this address." in page


def test_the_setup_takes_it(client: Client) -> None:
    path = setup.create_setup_link()
    assert path

    client.post(path, {"email": "ada@exämple.de", "password": "several plain words", "organisation": "Acme"})

    assert User.objects.get().email == "ada@xn--exmple-cua.de"


def test_a_mailbox_outside_ascii_is_refused_alike_everywhere(alice_client: Client, admin_user: User) -> None:
    desk = Client()
    desk.force_login(admin_user)
    User.objects.filter(pk=admin_user.pk).update(is_superuser=False)
    path = setup.create_setup_link()
    User.objects.filter(pk=admin_user.pk).update(is_superuser=True)
    alice_client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    pages = [
        Client().post("/accounts/signup/", {"email": OUTSIDE_ASCII, "password1": PASSWORD}),
        Client().post("/accounts/login/", {"login": OUTSIDE_ASCII, "password": PASSWORD}),
        Client().post("/accounts/password/reset/", {"email": OUTSIDE_ASCII}),
        alice_client.post("/accounts/email/", {"email": OUTSIDE_ASCII, "action_add": ""}),
        desk.post("/admin/accounts/user/add/", {"email": OUTSIDE_ASCII}),
    ]
    User.objects.filter(pk=admin_user.pk).update(is_superuser=False)
    pages.append(Client().post(str(path), {"email": OUTSIDE_ASCII}))

    for page in pages:
        assert REASON in page.content.decode(), page
        assert "Enter a valid email address" not in page.content.decode()


@pytest.mark.parametrize("path", ["/auth/signup", "/auth/login", "/auth/password/request"])
def test_a_mailbox_outside_ascii_is_refused_by_json_with_the_reason(path: str) -> None:
    status, body = _post_json(path, email=OUTSIDE_ASCII, password=PASSWORD)

    assert status == 400
    assert '"code": "mailbox_outside_ascii"' in body


def test_an_address_of_300_characters_is_refused(client: Client) -> None:
    page = client.post("/accounts/signup/", {"email": f"{'x' * 290}@example.org", "password1": PASSWORD})

    assert "at most 254 characters" in page.content.decode()
    assert not User.objects.exists()


def test_the_command_finds_the_person_however_the_address_is_written(info: User) -> None:
    with pytest.raises(CommandError, match="has no second factor"):
        call_command("second_factor", "off", "info@exämple.de")
    with pytest.raises(CommandError, match="before the @"):
        call_command("second_factor", "off", OUTSIDE_ASCII)


def test_addresses_from_before_are_found_again() -> None:
    old = User.objects.create(email="old@exämple.de")
    EmailAddress.objects.create(user=old, email="old@exämple.de", verified=True, primary=True)
    twice, kept = User.objects.create(email="twice@exämple.de"), User.objects.create(email="twice@xn--exmple-cua.de")
    migration = import_module("accounts.migrations.0003_domains_in_ascii")

    migration.keep_in_ascii(apps, SimpleNamespace(connection=connection))

    assert User.objects.get(pk=old.pk).email == EmailAddress.objects.get().email == "old@xn--exmple-cua.de"
    assert User.objects.get(pk=kept.pk).email == "twice@xn--exmple-cua.de"
    assert User.objects.get(pk=twice.pk).email == "twice@exämple.de"
    assert not Organisation.objects.exists()
