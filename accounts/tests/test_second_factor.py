"""The second factor: switching it on, being asked for it, losing the phone, and every way around it that is closed."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.core import mail
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from accounts.tests import phone
from accounts.tests.conftest import PASSWORD, Clock, Protected, confirm, switch_on

pytestmark = [pytest.mark.thorough, pytest.mark.django_db(transaction=True)]

CODE_PAGE = "/accounts/2fa/authenticate/"
NEW_PASSWORD = "another few plain words"


def is_signed_in(browser: Client) -> bool:
    """Whether any door is open: a page, the API, the session itself."""
    page = browser.get("/questionnaires/").status_code == 200
    assert page == ("_auth_user_id" in browser.session)
    query = {"query": "{ __typename }"}
    asked = browser.post("/graphql", query, "application/json", headers={"Origin": "http://localhost:8000"})
    assert (asked.status_code == 401) == (not page)
    return page


# --- switching it on -----------------------------------------------------------------------------------------------


def test_a_person_finds_it_in_the_menu_and_is_told_what_it_is_for(alice_client: Client) -> None:
    assert re.search(
        rb'<a href="/accounts/2fa/(\?[^"]+)?">Second factor</a>', alice_client.get("/questionnaires/").content
    )
    page = alice_client.get("/accounts/2fa/").content.decode()
    assert "any that reads QR codes will do" in page
    assert 'href="/accounts/2fa/totp/activate/"' in page


def test_switching_it_on_needs_the_password_once_more(alice_client: Client) -> None:
    response = alice_client.get("/accounts/2fa/totp/activate/")

    assert response.headers["Location"] == "/accounts/reauthenticate/?next=%2Faccounts%2F2fa%2Ftotp%2Factivate%2F"
    assert alice_client.post("/accounts/2fa/totp/activate/", {"code": "123456"}).status_code == 302
    assert not Authenticator.objects.exists()


def test_the_page_shows_a_qr_code_that_the_policy_allows_and_the_secret_for_typing(alice_client: Client) -> None:
    confirm(alice_client)
    response = alice_client.get("/accounts/2fa/totp/activate/")

    found = re.search(r'<img class="qr-code" src="data:image/svg\+xml;base64,([^"]+)"', response.content.decode())
    assert found
    drawing = ElementTree.fromstring(base64.b64decode(found[1]))  # noqa: S314  (our own)
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert "img-src 'self' data:" in response.headers["Content-Security-Policy"]
    assert re.search(
        r"otpauth://totp/alice%40example\.org\?secret=[A-Z2-7]{32}&amp;issuer=Plumbline%20%28localhost%29",
        response.content.decode(),
    )


def test_pages_with_secrets_are_kept_by_nobody(protected: Protected, bob: User, clock: Clock) -> None:
    other = Client()
    other.post("/accounts/login/", {"login": bob.email, "password": PASSWORD})
    confirm(other)
    pages = [other.get("/accounts/2fa/totp/activate/")]
    pages += [protected.browser.get(f"/accounts/2fa/recovery-codes/{page}") for page in ("", "download/", "generate/")]

    for page in pages:
        assert page.status_code == 200
        assert "no-store" in page.headers["Cache-Control"]


def test_a_wrong_code_switches_nothing_on_and_the_secret_stays(alice_client: Client, clock: Clock) -> None:
    confirm(alice_client)
    before = alice_client.get("/accounts/2fa/totp/activate/").content.decode()
    after = alice_client.post("/accounts/2fa/totp/activate/", {"code": "12345"}).content.decode()

    secret = re.compile(r'<p class="secret">([A-Z2-7 ]+)</p>')
    assert secret.findall(before) == secret.findall(after) != []
    assert "This code is wrong or has expired." in after
    assert not Authenticator.objects.exists()


def test_once_it_is_on_the_recovery_codes_are_shown_and_a_mail_says_so(protected: Protected) -> None:
    page = protected.browser.get("/accounts/2fa/recovery-codes/").content.decode()

    assert len(protected.recovery_codes) == 10
    assert re.findall(r"<li>(\d{8})</li>", page) == protected.recovery_codes
    assert mail.outbox[-1].subject == "Your second factor is on"
    assert not set(protected.recovery_codes) & set(str(mail.outbox[-1].body).split())


def test_a_double_click_finds_it_on(alice_client: Client, alice: User, clock: Clock) -> None:
    confirm(alice_client)
    page = alice_client.get("/accounts/2fa/totp/activate/").content.decode()
    found = re.search(r'<p class="secret">([A-Z2-7 ]+)</p>', page)
    assert found

    def the_other_click(secret: str, code: str) -> bool:
        auth.TOTP.activate(alice, secret)
        return True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "validate_totp_code", the_other_click)
        response = alice_client.post("/accounts/2fa/totp/activate/", {"code": "123456"})

    assert response.headers["Location"] == "/accounts/2fa/recovery-codes/"
    assert Authenticator.objects.filter(user=alice, type="totp").count() == 1


def test_who_has_not_confirmed_the_address_cannot_lock_its_owner_out(alice_client: Client, alice: User) -> None:
    EmailAddress.objects.update(verified=False)

    response = alice_client.get("/accounts/2fa/totp/activate/", follow=True)

    assert response.redirect_chain[-1][0] == "/accounts/2fa/"
    assert b"Confirm your email address first." in response.content


def test_the_database_has_no_secret_in_the_clear(protected: Protected) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator")
        stored = str(cursor.fetchall())

    assert protected.secret.replace(" ", "") not in stored
    assert stored.count("gAAAA") == 2  # as Fernet's tokens begin


# --- being asked for it --------------------------------------------------------------------------------------------


def test_the_password_alone_opens_nothing(protected: Protected) -> None:
    browser = protected.begin()

    assert not is_signed_in(browser)
    page = browser.get(CODE_PAGE).content.decode()
    assert re.search(r'<input[^>]+name="code"[^>]+autocomplete="one-time-code"[^>]+inputmode="numeric"', page)


def test_the_code_completes_the_sign_in_and_leads_to_where_one_wanted(protected: Protected) -> None:
    browser = Client()
    browser.post("/accounts/login/", {"login": protected.user.email, "password": PASSWORD, "next": "/reports/"})
    protected.clock.next_code()

    response = browser.post(CODE_PAGE, {"code": protected.code})

    assert response.headers["Location"] == "/reports/"
    assert is_signed_in(browser)


def test_a_code_works_once(protected: Protected) -> None:
    protected.sign_in()
    again = protected.begin()

    assert "each works once" in again.post(CODE_PAGE, {"code": protected.code}).content.decode()
    assert not is_signed_in(again)


def test_a_code_of_earlier_or_later_does_not_work(protected: Protected) -> None:
    browser = protected.begin()
    for away in (-phone.PERIOD, phone.PERIOD):
        browser.post(CODE_PAGE, {"code": phone.code(protected.secret, protected.clock.now + away)})

    assert not is_signed_in(browser)


def test_five_wrong_codes_close_the_door_to_the_right_one_in_any_browser(protected: Protected) -> None:
    browser = protected.begin()
    for number in range(5):
        browser.post(CODE_PAGE, {"code": f"{number:05}"})
    protected.clock.next_code()

    for other in (browser, protected.begin()):
        for code in (protected.code, protected.recovery_codes[0]):
            response = other.post(CODE_PAGE, {"code": code})
            assert b"Too many failed attempts" in response.content
            assert not is_signed_in(other)


def test_a_wrong_code_is_noted_without_the_code(protected: Protected, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        protected.begin().post(CODE_PAGE, {"code": "31415"})

    person = protected.user.pk
    assert f"event=wrong_code person={person} of=second_factor network=127.0.0.0/24" in caplog.messages
    assert "31415" not in caplog.text


def test_without_a_password_there_is_no_page_for_a_code(client: Client, protected: Protected) -> None:
    assert client.get(CODE_PAGE).headers["Location"] == "/accounts/login/"
    assert client.post(CODE_PAGE, {"code": protected.code}).headers["Location"] == "/accounts/login/"
    assert not is_signed_in(client)


def test_the_code_of_one_does_not_complete_the_sign_in_of_another(protected: Protected, bob: User) -> None:
    theirs = switch_on(bob, protected.clock)
    browser = theirs.begin()
    protected.clock.next_code()

    browser.post(CODE_PAGE, {"code": protected.code})
    browser.post(CODE_PAGE, {"code": protected.recovery_codes[0]})

    assert not is_signed_in(browser)


def test_who_has_none_is_not_asked(client: Client, alice: User) -> None:
    response = client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})

    assert response.headers["Location"] == "/questionnaires/"


# --- ways around it ------------------------------------------------------------------------------------------------


def recover_password(browser: Client, email: str) -> None:
    browser.post("/accounts/password/reset/", {"email": email})
    found = re.search(r"^(\S+)\n\nis the code", str(mail.outbox[-1].body), re.MULTILINE)
    assert found
    browser.post("/accounts/password/reset/confirm/", {"code": found[1]})
    browser.post("/accounts/password/reset/complete/", {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})


def test_recovering_the_password_signs_nobody_in(client: Client, protected: Protected) -> None:
    recover_password(client, protected.user.email)
    assert not is_signed_in(client)

    response = client.post("/accounts/login/", {"login": protected.user.email, "password": NEW_PASSWORD})

    assert response.headers["Location"] == CODE_PAGE
    assert not is_signed_in(client)


def test_a_sign_in_that_was_begun_with_the_old_password_is_not_finished(protected: Protected) -> None:
    thief = protected.begin()
    recover_password(Client(), protected.user.email)
    protected.clock.next_code()

    response = thief.post(CODE_PAGE, {"code": protected.code}, follow=True)

    assert response.redirect_chain[-1][0] == "/accounts/login/"
    assert b"was changed while you signed in. Please sign in again." in response.content
    assert not is_signed_in(thief)


def test_somebody_switched_off_between_password_and_code_does_not_get_in(protected: Protected) -> None:
    browser = protected.begin()
    User.objects.update(is_active=False)
    protected.clock.next_code()

    browser.post(CODE_PAGE, {"code": protected.code})

    assert not is_signed_in(browser)


@pytest.mark.parametrize("send", [Client.get, Client.post])
def test_a_code_page_of_a_factor_that_was_switched_off_leads_on(
    protected: Protected, send: Callable[..., HttpResponse]
) -> None:
    browser = protected.begin()
    protected.browser.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.exists()

    response = send(browser, CODE_PAGE, {"code": "000000"}, follow=True)

    assert response.status_code == 200
    assert b"was changed while you signed in. Please sign in again." in response.content
    browser.post("/accounts/login/", {"login": protected.user.email, "password": PASSWORD})
    assert is_signed_in(browser)


def test_a_pending_sign_in_does_not_last(protected: Protected) -> None:
    browser = protected.begin()
    session = browser.session
    session["account_login"] = {**session["account_login"], "initiated_at": 1.0}
    session.save()
    protected.clock.next_code()

    assert browser.post(CODE_PAGE, {"code": protected.code}).headers["Location"] == "/accounts/login/"
    assert not is_signed_in(browser)


def test_a_session_from_before_it_ends_and_this_one_goes_on(alice: User, clock: Clock) -> None:
    before = Client()
    before.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    assert is_signed_in(before)

    protected = switch_on(alice, clock)

    assert not is_signed_in(before)
    assert is_signed_in(protected.browser)


def test_the_administration_is_closed_to_the_password_alone(protected_admin: Protected) -> None:
    browser = protected_admin.begin()

    assert browser.get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"
    assert browser.get("/admin/login/?next=/admin/").headers["Location"] == "/accounts/login/?next=%2Fadmin%2F"
    credentials = {"username": protected_admin.user.email, "password": PASSWORD}
    assert browser.post("/admin/login/", credentials).status_code == 302
    assert not is_signed_in(browser)
    assert protected_admin.sign_in().get("/admin/").status_code == 200


def test_the_administration_signs_nobody_in_not_even_out_of_another_session(
    protected_admin: Protected, bob: User
) -> None:
    bob.is_staff = True
    bob.save()
    browser = Client()
    browser.force_login(bob)

    response = browser.post("/admin/login/", {"username": protected_admin.user.email, "password": PASSWORD})

    assert response.headers["Location"] == "/admin/"
    assert browser.session["_auth_user_id"] == str(bob.pk)


# --- recovery codes ------------------------------------------------------------------------------------------------


def test_a_recovery_code_lets_in_once_and_is_noted(protected: Protected, caplog: pytest.LogCaptureFixture) -> None:
    code = protected.recovery_codes[3]
    browser, again = protected.begin(), protected.begin()
    with caplog.at_level(logging.INFO):
        browser.post(CODE_PAGE, {"code": f"{code[:4]} {code[4:]}"})
        again.post(CODE_PAGE, {"code": code})

    assert is_signed_in(browser)
    assert not is_signed_in(again)
    assert f"event=recovery_code_used person={protected.user.pk} network=127.0.0.0/24" in caplog.messages
    assert code not in caplog.text
    assert "You have 9 recovery codes left" in browser.get("/accounts/2fa/").content.decode()


def test_recovery_codes_are_shown_only_to_who_has_just_confirmed(protected: Protected) -> None:
    browser = protected.sign_in()
    for page in ("", "download/", "generate/"):
        response = browser.get(f"/accounts/2fa/recovery-codes/{page}")
        assert response.headers["Location"].startswith("/accounts/reauthenticate/?next=")
    assert browser.post("/accounts/2fa/recovery-codes/generate/").status_code == 302
    codes = protected.recovery_codes

    assert protected.browser.get("/accounts/2fa/recovery-codes/").status_code == 200
    assert protected.recovery_codes == codes


def test_they_can_be_downloaded(protected: Protected) -> None:
    response = protected.browser.get("/accounts/2fa/recovery-codes/download/")

    assert response.headers["Content-Disposition"] == 'attachment; filename="recovery-codes.txt"'
    assert response.content.decode().splitlines()[2:] == protected.recovery_codes
    assert b"Recovery codes for alice@example.org" in response.content


def test_new_ones_end_the_old_ones(protected: Protected) -> None:
    old = protected.recovery_codes
    protected.browser.post("/accounts/2fa/recovery-codes/generate/")

    assert not set(old) & set(protected.recovery_codes)
    assert len(protected.recovery_codes) == 10
    assert mail.outbox[-1].subject == "You have new recovery codes"
    browser = protected.begin()
    browser.post(CODE_PAGE, {"code": old[0]})
    assert not is_signed_in(browser)


def test_who_has_no_second_factor_gets_no_recovery_codes(alice_client: Client) -> None:
    confirm(alice_client)

    assert alice_client.get("/accounts/2fa/recovery-codes/").status_code == 404
    assert alice_client.get("/accounts/2fa/recovery-codes/download/").status_code == 404
    page = alice_client.post("/accounts/2fa/recovery-codes/generate/")
    assert page.status_code == 200
    assert not Authenticator.objects.exists()


# --- switching it off ----------------------------------------------------------------------------------------------


def test_switching_it_off_needs_a_confirmation(protected: Protected) -> None:
    browser = protected.sign_in()

    assert browser.get("/accounts/2fa/totp/deactivate/").headers["Location"].startswith("/accounts/reauthenticate/")
    assert browser.post("/accounts/2fa/totp/deactivate/").status_code == 302
    assert Authenticator.objects.count() == 2


def test_a_code_confirms_as_the_password_does(protected: Protected) -> None:
    browser = protected.sign_in()
    page = browser.get("/accounts/reauthenticate/?next=/accounts/2fa/totp/deactivate/").content.decode()
    assert 'href="/accounts/2fa/reauthenticate/?next=%2Faccounts%2F2fa%2Ftotp%2Fdeactivate%2F"' in page
    protected.clock.next_code()

    browser.post("/accounts/2fa/reauthenticate/", {"code": protected.code})

    assert browser.get("/accounts/2fa/totp/deactivate/").status_code == 200


def test_off_means_the_password_alone_no_codes_and_no_other_session(protected: Protected) -> None:
    other = protected.sign_in()

    response = protected.browser.post("/accounts/2fa/totp/deactivate/")

    assert response.headers["Location"] == "/accounts/2fa/"
    assert not Authenticator.objects.exists()
    assert mail.outbox[-1].subject == "Your second factor is off"
    assert is_signed_in(protected.browser)
    assert not is_signed_in(other)
    browser = Client()
    browser.post("/accounts/login/", {"login": protected.user.email, "password": PASSWORD})
    assert is_signed_in(browser)


def test_nobody_who_is_not_signed_in_comes_to_these_pages(client: Client, alice: User) -> None:
    for path in (
        "",
        "totp/activate/",
        "totp/deactivate/",
        "recovery-codes/",
        "recovery-codes/generate/",
        "recovery-codes/download/",
        "reauthenticate/",
    ):
        response = client.get(f"/accounts/2fa/{path}")
        assert response.status_code == 302
        assert response.headers["Location"].startswith("/accounts/login/?next=")


def test_the_page_says_since_when_in_the_form_of_the_other_pages(protected: Protected) -> None:
    Authenticator.objects.update(created_at=datetime(2026, 11, 29, 12, tzinfo=UTC))

    page = protected.browser.get("/accounts/2fa/").content.decode()

    assert re.search(r"since <time [^>]+>29 Nov 2026, 12:00 UTC</time>\.", page)


@pytest.mark.parametrize("parts", ["{} {}", " {}\u00a0{}\n", "{}\u200b{}"])
def test_the_code_of_the_app_is_taken_however_it_is_pasted(protected: Protected, parts: str) -> None:
    browser = protected.begin()
    protected.clock.next_code()

    response = browser.post(
        "/accounts/2fa/authenticate/", {"code": parts.format(protected.code[:3], protected.code[3:])}
    )

    assert response.headers["Location"] == "/questionnaires/"
