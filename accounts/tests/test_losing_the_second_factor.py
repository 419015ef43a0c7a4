"""What an operator does about second factors: lost phones, a new SECRET_KEY, and who has to have one."""

from __future__ import annotations

import io

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from accounts import encryption, second_factor
from accounts.models import User
from accounts.tests.conftest import PASSWORD, Protected
from securitylog import operator

pytestmark = [pytest.mark.thorough, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(admin_user: User) -> Client:
    """An administrator at work."""
    client = Client()
    client.force_login(admin_user)
    return client


def run(*arguments: str) -> str:
    shown = io.StringIO()
    call_command("second_factor", *arguments, stdout=shown)
    return shown.getvalue()


def page_of(user: User) -> str:
    return f"/admin/accounts/user/{user.pk}/second-factor/"


def needs_no_code(user: User) -> bool:
    response = Client().post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    return response.headers["Location"] == "/questionnaires/"


# --- a lost phone --------------------------------------------------------------------------------------------------


def test_an_administrator_switches_it_off_after_a_question(
    desk: Client, admin_user: User, protected: Protected, caplog: pytest.LogCaptureFixture
) -> None:
    alice = protected.user
    codes = protected.recovery_codes
    person = desk.get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()
    assert f'href="{page_of(alice)}">Switch it off</a>' in person
    assert b"Do this only when you are sure that it is alice@example.org who asks" in desk.get(page_of(alice)).content
    assert not needs_no_code(alice)

    response = desk.post(page_of(alice))

    assert response.headers["Location"] == f"/admin/accounts/user/{alice.pk}/change/"
    assert needs_no_code(alice)
    assert protected.browser.get("/questionnaires/").status_code == 302
    assert mail.outbox[-1].to == ["alice@example.org"]
    assert mail.outbox[-1].subject == "Your second factor was switched off by an administrator"
    assert f"event=second_factor_off person={alice.pk} by={admin_user.pk}" in caplog.messages
    assert not any(code in caplog.text for code in codes)
    assert LogEntry.objects.get(object_id=str(alice.pk)).user == admin_user


def test_the_command_does_the_same(protected: Protected, caplog: pytest.LogCaptureFixture) -> None:
    assert "Alice@Example.org is off" in run("off", "Alice@Example.org")

    assert needs_no_code(protected.user)
    assert protected.browser.get("/questionnaires/").status_code == 302
    assert f"event=second_factor_off person={protected.user.pk} by={operator()}" in caplog.messages
    assert "alice@example.org" not in caplog.text
    assert len([message for message in mail.outbox if "by an administrator" in message.subject]) == 1


def test_the_command_says_when_there_is_nothing_to_switch_off(alice: User) -> None:
    with pytest.raises(CommandError, match=r"alice@example\.org has no second factor"):
        run("off", "alice@example.org")
    with pytest.raises(CommandError, match=r"Nobody signs in with nobody@example\.org"):
        run("off", "nobody@example.org")


def test_a_person_without_one_shows_as_such(desk: Client, alice: User) -> None:
    page = desk.get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()

    assert page_of(alice) not in page
    assert '<div class="readonly">off</div>' in page


def test_only_who_may_change_the_person_may_switch_it_off(
    protected: Protected, protected_admin: Protected, bob: User, charlie_client: Client
) -> None:
    bob.is_staff = True
    bob.save()
    bob.reviewed.add(bob.organisation)
    protected_admin.user.join(bob.organisation)
    helper = Client()
    helper.force_login(bob)
    assert helper.post(page_of(protected.user)).status_code == 403
    assert charlie_client.post(page_of(protected.user)).status_code == 302
    bob.user_permissions.set(Permission.objects.filter(codename__in=("change_user", "view_user")))

    assert helper.post(page_of(protected_admin.user)).status_code == 403
    assert second_factor.is_on(protected.user)
    assert second_factor.is_on(protected_admin.user)
    assert helper.post(page_of(protected.user)).status_code == 302
    assert not second_factor.is_on(protected.user)


def test_nobody_edits_the_rows_themselves(desk: Client) -> None:
    assert desk.get("/admin/mfa/authenticator/").status_code == 404


# --- a new SECRET_KEY ----------------------------------------------------------------------------------------------


@pytest.fixture
def new_key(protected: Protected, settings: Settings) -> Settings:
    """The installation has another key than the one with which Alice switched it on."""
    settings.SECRET_KEY = "another key"
    return settings


@pytest.fixture
def new_key_beside_the_old_one(protected: Protected, settings: Settings) -> Settings:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key"
    return settings


def test_an_encrypted_text_reads_back_under_its_key_alone(settings: Settings) -> None:
    encrypted = encryption.encrypt("JBSWY3DP")
    assert encryption.decrypt(encrypted) == "JBSWY3DP"
    assert encrypted != encryption.encrypt("JBSWY3DP")

    settings.SECRET_KEY = "another key"

    with pytest.raises(encryption.UnreadableError):
        encryption.decrypt(encrypted)
    with pytest.raises(encryption.UnreadableError):
        encryption.decrypt("JBSWY3DP")


def test_an_old_key_among_the_fallbacks_still_opens(protected: Protected, new_key_beside_the_old_one: Settings) -> None:
    assert protected.sign_in().get("/questionnaires/").status_code == 200
    assert list(second_factor.unreadable()) == []


def test_once_encrypted_anew_the_old_key_may_go(protected: Protected, new_key_beside_the_old_one: Settings) -> None:
    codes = protected.recovery_codes
    assert run("encrypt") == "2 secrets are encrypted with the SECRET_KEY of now.\n"
    new_key_beside_the_old_one.SECRET_KEY_FALLBACKS = []

    assert protected.sign_in().get("/questionnaires/").status_code == 200
    assert protected.recovery_codes == codes


def test_without_the_old_key_nobody_gets_in_and_the_page_says_what_to_do(
    protected: Protected, new_key: Settings
) -> None:
    browser = protected.begin()
    protected.clock.next_code()

    page = browser.post("/accounts/2fa/authenticate/", {"code": protected.code}).content.decode()

    assert "Ask an administrator to switch it off." in page
    assert "_auth_user_id" not in browser.session
    assert {each.user for each in second_factor.unreadable()} == {protected.user}
    with pytest.raises(CommandError, match="Nothing was changed"):
        run("encrypt")
    assert second_factor.switch_off(protected.user, by="a test")
    assert needs_no_code(protected.user)


def test_a_session_that_outlives_the_old_key_finds_no_broken_page(protected: Protected, new_key: Settings) -> None:
    browser = Client()
    browser.force_login(protected.user)
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})

    for path in ("recovery-codes/", "recovery-codes/generate/", "recovery-codes/download/"):
        page = browser.get(f"/accounts/2fa/{path}", follow=True)
        assert page.redirect_chain[-1][0] == "/accounts/2fa/"
        assert "Ask an administrator to switch it off." in page.content.decode()
    assert browser.post("/accounts/2fa/totp/deactivate/").headers["Location"] == "/accounts/2fa/"
    assert not second_factor.is_on(protected.user)


# --- administrators who have to have one ---------------------------------------------------------------------------


def test_where_administrators_need_one_the_administration_leads_to_it(
    desk: Client, settings: Settings, alice_client: Client
) -> None:
    settings.SECOND_FACTOR = "administrators"

    for path in ("/admin/", "/admin/accounts/user/", "/admin/eventbus/event/trace/"):
        response = desk.get(path)
        assert response.headers["Location"] == "/accounts/2fa/"
    assert b"The administration of this installation needs a second factor." in desk.get("/accounts/2fa/").content
    assert desk.post("/admin/accounts/organisation/add/", {"name": "Mallory"}).headers["Location"] == "/accounts/2fa/"
    assert desk.get("/questionnaires/").status_code == 200
    assert alice_client.get("/questionnaires/").status_code == 200
    assert alice_client.get("/admin/", follow=True).status_code == 403
    assert desk.post("/admin/logout/").headers["Location"] == "/"


def test_an_administrator_who_has_one_comes_in(protected_admin: Protected, settings: Settings) -> None:
    settings.SECOND_FACTOR = "administrators"

    assert protected_admin.browser.get("/admin/").status_code == 200


def test_where_it_is_up_to_them_they_come_in_without(desk: Client) -> None:
    assert desk.get("/admin/").status_code == 200


def test_an_operator_without_a_mail_server_is_asked_to_tell_the_person(
    protected: Protected, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_BACKEND = "config.embedded.mail.TerminalAndFolderBackend"

    call_command("second_factor", "off", protected.user.email)

    shown = capsys.readouterr().out
    assert "Tell them yourself: this installation sends no mail." in shown
    assert "A mail tells them" not in shown
