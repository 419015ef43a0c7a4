"""The administration asks again: after a while without use, and before a change long after the last proof."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Organisation, User
from accounts.sessions import BEGAN
from accounts.tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
AGAIN = "/accounts/reauthenticate/"


@pytest.fixture
def ada(admin_user: User) -> Client:
    browser = Client()
    browser.post("/accounts/login/", {"login": admin_user.email, "password": PASSWORD})
    assert browser.get("/admin/").status_code == 200
    return browser


def _minutes_pass(browser: Client, minutes: float) -> None:
    session = browser.session
    session[BEGAN] -= minutes * 60
    session["administration_used"] = session.get("administration_used", session[BEGAN]) - minutes * 60
    for record in session.get("account_authentication_methods", []):
        record["at"] -= minutes * 60
    session.save()


def test_after_half_an_hour_without_a_page_it_asks_and_leads_back(ada: Client) -> None:
    _minutes_pass(ada, 29)
    assert ada.get("/admin/").status_code == 200

    _minutes_pass(ada, 31)
    asked = ada.get("/admin/accounts/user/?q=alice")
    assert asked.headers["Location"].startswith(f"{AGAIN}?next=")

    back = ada.post(asked.headers["Location"], {"password": PASSWORD, "next": "/admin/accounts/user/?q=alice"})
    assert back.headers["Location"] == "/admin/accounts/user/?q=alice"
    assert ada.get("/admin/accounts/user/").status_code == 200


def test_pages_of_the_administration_keep_it_open(ada: Client) -> None:
    for _ in range(4):
        _minutes_pass(ada, 20)
        assert ada.get("/admin/").status_code == 200


def test_a_change_needs_a_fresh_proof_and_goes_on_after_it(ada: Client, alice: User) -> None:
    page = f"/admin/accounts/organisation/{alice.organisation.pk}/change/"
    form = {"name": "Acme Ltd", "memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    _minutes_pass(ada, 20)
    assert ada.get(page).status_code == 200

    asked = ada.post(page, form)
    assert asked.headers["Location"].startswith(f"{AGAIN}?next=")
    assert Organisation.objects.filter(name="Acme").exists()
    ada.post(asked.headers["Location"], {"password": PASSWORD, "next": page})

    assert Organisation.objects.filter(name="Acme Ltd").exists()


def test_a_change_right_after_signing_in_is_not_asked_about(ada: Client, alice: User) -> None:
    page = f"/admin/accounts/organisation/{alice.organisation.pk}/change/"
    ada.post(page, {"name": "Acme Ltd", "memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"})

    assert Organisation.objects.filter(name="Acme Ltd").exists()


def test_a_password_of_somebody_new_is_not_kept_while_it_asks(ada: Client, alice: User) -> None:
    _minutes_pass(ada, 20)

    secret = "of somebody new"
    form = {"email": "new@example.org", "password1": secret, "password2": secret, "usable_password": "true"}
    asked = ada.post("/admin/accounts/user/add/", form)

    assert asked.headers["Location"].startswith(f"{AGAIN}?next=")
    assert secret not in str(dict(ada.session.items()))
    page = ada.get(asked.headers["Location"]).content.decode()
    assert "a password is kept nowhere" in page


def test_signing_out_is_never_asked_about(ada: Client) -> None:
    _minutes_pass(ada, 60)

    ada.post("/admin/logout/")

    assert "_auth_user_id" not in ada.session


def test_pages_outside_of_the_administration_do_not_ask(ada: Client) -> None:
    _minutes_pass(ada, 600)

    assert ada.get("/questionnaires/").status_code == 200
