"""Mails in the administration: how they fare, never to whom they go or what they say."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from mailing.models import Mail, State
from mailing.posting import post

LIST = "/admin/mailing/mail/"


@pytest.fixture
def mail(db: None) -> Mail:
    return Mail.objects.get(pk=post("zoe@example.org", "Your code", "AB12-CD34", kind="password_reset_code"))


def staff(bob: User, *permissions: str) -> Client:
    bob.is_staff = True
    bob.save()
    bob.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(bob)
    return client


def test_a_superuser_sees_how_a_mail_fares_and_not_what_it_says(admin_client: Client, mail: Mail) -> None:
    for address in (LIST, f"{LIST}{mail.pk}/change/"):
        page = admin_client.get(address).content.decode()
        assert "waiting" in page
        assert "password reset code" in page
        assert not any(said in page for said in ("zoe@", "AB12-CD34", "Your code"))
    assert reverse("admin:eventbus_event_changelist") in page


def test_a_mail_that_was_given_up_says_why(admin_client: Client, mail: Mail) -> None:
    Mail.objects.filter(pk=mail.pk).end(State.DEAD, "the mail server refuses the recipient (reply 550)")
    page = admin_client.get(f"{LIST}{mail.pk}/change/").content.decode()
    assert "the mail server refuses the recipient (reply 550)" in page


@pytest.mark.parametrize("field", ["recipient__startswith", "text__contains", "subject"])
def test_nobody_learns_by_filtering_what_a_mail_says(admin_client: Client, mail: Mail, field: str) -> None:
    assert admin_client.get(f"{LIST}?{field}=zoe").status_code == 400


def test_only_staff_who_may_view_them_see_them_and_nobody_changes_one(bob: User, mail: Mail) -> None:
    client = staff(bob, "view_mail", "change_mail", "delete_mail", "add_mail")
    assert client.get(LIST).status_code == 200
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{mail.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"{LIST}{mail.pk}/change/", {"state": "sent"}).status_code == 403
    assert staff(bob, "view_event").get(LIST).status_code == 403
    assert Mail.objects.get().state == "waiting"
