"""Where sign-up is closed, nobody signs up, pages do not offer it, and the first administrator has a link."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from accounts.models import User

pytestmark = pytest.mark.django_db


def test_the_page_says_that_it_is_closed_and_makes_nobody(client: Client, settings: Settings) -> None:
    settings.SIGNUP = "closed"
    form = {"email": "eve@example.org", "password1": "correct horse battery", "name": "Eve", "organisation": "Evil"}
    assert "Sign-up is closed" in client.get("/accounts/signup/").text
    assert "Sign-up is closed" in client.post("/accounts/signup/", form).text
    assert User.objects.count() == 0


@pytest.mark.parametrize("path", ["/", "/accounts/login/"])
def test_pages_offer_to_sign_up_only_where_it_is_open(client: Client, settings: Settings, path: str) -> None:
    assert "/accounts/signup/" in client.get(path).text
    settings.SIGNUP = "closed"
    assert "/accounts/signup/" not in client.get(path).text


def test_the_command_prints_a_link_that_works_once(client: Client) -> None:
    printed = StringIO()
    call_command("first_administrator", stdout=printed)
    path = (
        printed.getvalue()
        .strip()
        .removeprefix("Open this link (it works once, within 24 hours): http://localhost:8000")
    )
    assert client.get(path).status_code == 200


def test_the_command_makes_no_link_where_an_administrator_exists(admin_user: User) -> None:
    printed = StringIO()
    call_command("first_administrator", stdout=printed)
    assert printed.getvalue().startswith("There is an administrator already")
