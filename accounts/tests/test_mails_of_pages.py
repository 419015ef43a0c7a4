"""No page waits for a mail server, however it behaves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from eventbus.deliveries import drain
from mailing.models import Mail
from tests.mail_server import Behaviour, MailServer

PASSWORD = "correct horse battery staple"
SIGNUP = {"email": "dora@example.org", "name": "Dora", "organisation": "Dunes", "password1": PASSWORD}


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    with MailServer().running() as server:
        settings.EMAIL_BACKEND = "mailing.smtp.PunctualBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 0.3
        yield server


@pytest.mark.parametrize("behaviour", Behaviour)
def test_recovering_goes_on_whatever_the_mail_server_does(
    client: Client, alice: User, server: MailServer, behaviour: Behaviour
) -> None:
    server.behaviour = behaviour

    response = client.post("/accounts/password/reset/", {"email": alice.email}, follow=True)

    assert response.status_code == 200
    assert "A mail is on its way to" in response.content.decode()
    assert not server.visited.is_set()
    drain("mailing.send")
    assert server.visited.is_set()


@pytest.mark.parametrize("behaviour", [Behaviour.SILENT, Behaviour.REFUSES])
def test_who_signs_up_while_the_mail_server_is_out_of_order_is_signed_up(
    client: Client, db: None, server: MailServer, behaviour: Behaviour
) -> None:
    server.behaviour = behaviour

    response = client.post("/accounts/signup/", SIGNUP)

    assert (response.status_code, response.headers["Location"]) == (302, "/accounts/confirm-email/")
    assert User.objects.filter(email="dora@example.org").exists()
    assert not server.visited.is_set()


def test_a_code_is_of_use_as_long_as_it_works_and_a_notice_for_a_day(client: Client, alice: User) -> None:
    client.post("/accounts/password/reset/", {"email": alice.email})
    client.post("/accounts/password/reset/", {"email": "nobody@example.org"})

    spans = {row.kind: round((row.expires_at - row.created_at).total_seconds()) for row in Mail.objects.all()}

    assert spans == {"password_reset_code": 15 * 60, "unknown_account": 24 * 3600}


def test_a_mail_of_a_person_is_kept_no_longer_than_it_waits(client: Client, alice: User) -> None:
    client.post("/accounts/password/reset/", {"email": alice.email})
    assert Mail.objects.get().recipient == alice.email
    assert len(mail.outbox) == 1
    assert (Mail.objects.get().recipient, Mail.objects.get().text) == ("", "")
