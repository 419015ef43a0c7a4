"""The pages for codes that come by mail: how long a code works, how to get another, and what to do once it is over."""

from __future__ import annotations

import html
import re
from types import SimpleNamespace

import pytest
from allauth.account.internal.flows import code_verification
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from accounts import mails, views
from accounts.models import User
from accounts.tests.conftest import PASSWORD, Clock

pytestmark = pytest.mark.django_db
RECOVERY = "/accounts/password/reset/confirm/"
SIGNUP = "/accounts/confirm-email/"
MINUTE = 60


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time by which codes get old."""
    clock = Clock()
    for module in (code_verification, mails, views):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: clock.now))
    return clock


def code() -> str:
    """The one in the newest mail."""
    found = re.search(r"^(\S+)\n\nis the code", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


def begin(path: str, browser: Client) -> str:
    """Come to one of the pages as people do; gives its text."""
    if path == RECOVERY:
        response = browser.post("/accounts/password/reset/", {"email": "alice@example.org"})
    else:
        response = browser.post("/accounts/signup/", {"email": "dora@example.org", "password1": PASSWORD})
    assert response.headers["Location"] == path
    return text(browser, path)


def text(browser: Client, path: str) -> str:
    return html.unescape(browser.get(path, follow=True).content.decode())


def send_another(path: str, browser: Client) -> str:
    cache.clear()  # two codes within ten seconds would be too many
    return html.unescape(browser.post(path, {"action": "resend"}, follow=True).content.decode())


@pytest.mark.parametrize("path", [RECOVERY, SIGNUP])
def test_page_and_mail_say_how_long_a_code_works(client: Client, alice: User, path: str) -> None:
    assert "Enter the code that is in it: it works for 15 minutes." in begin(path, client)
    assert "It works once, and for 15 minutes." in str(mail.outbox[-1].body)


@pytest.mark.parametrize("path", [RECOVERY, SIGNUP])
def test_a_code_works_for_as_long_as_the_page_says(client: Client, alice: User, clock: Clock, path: str) -> None:
    begin(path, client)
    clock.now += 15 * MINUTE - 1

    response = client.post(path, {"code": code()})

    after = {RECOVERY: "/accounts/password/reset/complete/", SIGNUP: "/questionnaires/"}
    assert response.headers["Location"] == after[path]


@pytest.mark.parametrize("path", [RECOVERY, SIGNUP])
def test_another_code_works_as_long_as_the_first(client: Client, alice: User, clock: Clock, path: str) -> None:
    page = begin(path, client)
    first = code()
    assert "Send a new code" in page
    clock.now += 14 * MINUTE

    page = send_another(path, client)

    assert "A code is on its way to" in page
    assert len(mail.outbox) == 2
    assert code() != first
    clock.now += 14 * MINUTE
    assert "This code is wrong." in html.unescape(client.post(path, {"code": first}).content.decode())
    assert client.post(path, {"code": code()}).status_code == 302


@pytest.mark.parametrize("path", [RECOVERY, SIGNUP])
def test_two_codes_within_ten_seconds_are_too_many(client: Client, alice: User, path: str) -> None:
    begin(path, client)
    client.post(path, {"action": "resend"})
    sent = len(mail.outbox)

    page = client.post(path, {"action": "resend"}, follow=True).content.decode()

    assert "A code was sent just now. Wait 10 seconds, then send a new one." in page
    assert len(mail.outbox) == sent


@pytest.mark.parametrize(("path", "way"), [(RECOVERY, "/accounts/password/reset/"), (SIGNUP, "/accounts/login/")])
def test_after_two_more_codes_the_page_says_how_to_go_on(client: Client, alice: User, path: str, way: str) -> None:
    begin(path, client)
    send_another(path, client)

    page = send_another(path, client)

    assert "Send a new code" not in page
    assert re.search(f'No more codes can be sent from this page. <a href="{way}">', page)
    assert len(mail.outbox) == 3
    send_another(path, client)
    assert len(mail.outbox) == 3


@pytest.mark.parametrize(
    ("path", "way", "advice"),
    [
        (RECOVERY, "/accounts/password/reset/", "Ask for a new one here."),
        (SIGNUP, "/accounts/login/", "Sign in with your address and password, and a new one comes."),
    ],
)
def test_an_old_code_leads_to_a_new_one(
    client: Client, alice: User, clock: Clock, path: str, way: str, advice: str
) -> None:
    begin(path, client)
    clock.now += 15 * MINUTE + 1

    response = client.post(path, {"code": code()}, follow=True)

    assert response.redirect_chain == [(way, 302)]
    assert f"The code was too old: it works for 15 minutes. {advice}" in response.content.decode()


@pytest.mark.parametrize(("path", "way"), [(RECOVERY, "/accounts/password/reset/"), (SIGNUP, "/accounts/login/")])
def test_the_third_wrong_code_says_how_to_go_on(client: Client, alice: User, path: str, way: str) -> None:
    begin(path, client)
    for _ in range(2):
        assert "Error: " in client.post(path, {"code": "WRONG"}).content.decode()

    response = client.post(path, {"code": "WRONG"}, follow=True)

    assert response.redirect_chain == [(way, 302)]
    assert "That was one wrong code too many." in response.content.decode()
    client.post(path, {"code": code()})
    assert "_auth_user_id" not in client.session


def test_a_new_password_that_comes_too_late_leads_to_a_new_code(client: Client, alice: User, clock: Clock) -> None:
    begin(RECOVERY, client)
    client.post(RECOVERY, {"code": code()})
    clock.now += 15 * MINUTE + 1
    passwords = {"password1": "some other plain words", "password2": "some other plain words"}

    response = client.post("/accounts/password/reset/complete/", passwords, follow=True)

    assert response.redirect_chain == [("/accounts/password/reset/", 302)]
    assert "The code was too old" in response.content.decode()
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_an_unknown_address_looks_like_a_known_one_when_another_code_is_sent(client: Client, alice: User) -> None:
    stranger = Client()
    begin(RECOVERY, client)
    stranger.post("/accounts/password/reset/", {"email": "nobody@example.org"})

    known = send_another(RECOVERY, client).replace("alice@", "nobody@")
    unknown = send_another(RECOVERY, stranger)

    tokens = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"')
    assert tokens.sub("", known) == tokens.sub("", unknown)
    assert len(mail.outbox) == 4


@pytest.mark.parametrize("path", [RECOVERY, SIGNUP])
@pytest.mark.parametrize("typed", [" {} \n", "{}\u200b", "\u00a0{}"])
@pytest.mark.parametrize("dash", [" - ", "\u2011", "\n", ""])
def test_a_code_is_taken_however_it_is_pasted(client: Client, alice: User, path: str, typed: str, dash: str) -> None:
    begin(path, client)

    response = client.post(path, {"code": typed.format(code().lower().replace("-", dash))})

    assert response.status_code == 302
    assert response.headers["Location"] in ("/accounts/password/reset/complete/", "/questionnaires/")


def test_a_changed_address_has_the_same_page(alice_client: Client, clock: Clock) -> None:
    alice_client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    alice_client.post("/accounts/email/", {"email": "new@example.org", "action_add": ""})
    page = text(alice_client, SIGNUP)
    assert "A mail is on its way to" in page
    assert "it works for 15 minutes." in page
    clock.now += 15 * MINUTE + 1

    response = alice_client.post(SIGNUP, {"code": code()}, follow=True)

    assert response.redirect_chain[-1][0] == "/accounts/email/"
    assert "Enter the new address again, and a new one comes." in response.content.decode()
    assert "_auth_user_id" in alice_client.session


class TestWithoutAMailServer:
    PAGES = ("/accounts/signup/", "/accounts/password/reset/")

    @pytest.fixture(autouse=True)
    def _prints(self, settings: Settings) -> None:
        settings.EMAIL_BACKEND = "config.embedded.mail.TerminalAndFolderBackend"
        settings.EMAIL_FILE_PATH = str(settings.DATA_DIR / "var" / "mail")

    @pytest.mark.parametrize("path", [RECOVERY, SIGNUP])
    def test_the_page_says_where_the_code_is(self, client: Client, alice: User, path: str) -> None:
        page = begin(path, client)

        assert "on its way" not in page
        assert "shown in the terminal where Plumbline runs, and it is kept in the folder <code>var/mail</code>" in page
        assert "on your phone? Ask the person who runs Plumbline for the code." in page
        assert "spam" not in page
        assert "A new code is in the terminal and in the folder." in send_another(path, client)

    def test_the_pages_before_it_say_so_too(self, client: Client, alice_client: Client) -> None:
        alice_client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        for page in [text(client, path) for path in self.PAGES] + [text(alice_client, "/accounts/email/")]:
            assert "This installation sends no mail yet." in page

    def test_where_no_mail_can_be_had_at_all_the_page_says_whom_to_ask(
        self, client: Client, alice: User, settings: Settings
    ) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

        page = begin(RECOVERY, client)

        assert "on its way" not in page
        assert "send mail, so no code reaches you. Ask the person who runs Plumbline for help" in page


def test_with_a_mail_server_no_page_speaks_of_the_terminal(client: Client, alice: User) -> None:
    for page in (begin(SIGNUP, client), begin(RECOVERY, Client())):
        assert "A mail is on its way to" in page
        assert "terminal" not in page
        assert "spam folder" in page
        assert "look whether the address above is right, and send a new code" in page
        assert "ask the person who runs Plumbline: the mail server may be out of order" in page


def test_by_json_another_code_works_as_long_as_the_first(client: Client, clock: Clock) -> None:
    root = "/_allauth/app/v1/auth"
    person = {"email": "dora@example.org", "password": PASSWORD}
    answer = client.post(f"{root}/signup", person, "application/json")
    token = {"X-Session-Token": answer.json()["meta"]["session_token"]}
    clock.now += 14 * MINUTE
    cache.clear()  # two codes within ten seconds would be too many

    assert client.post(f"{root}/email/verify/resend", headers=token).status_code == 200

    clock.now += 14 * MINUTE
    assert client.post(f"{root}/email/verify", {"key": code()}, "application/json", headers=token).status_code == 200


def test_by_json_a_recovery_that_is_asked_for_again_sends_another_code(alice: User, clock: Clock) -> None:
    root, browser = "/_allauth/app/v1/auth/password", Client()
    answer = browser.post(f"{root}/request", {"email": alice.email}, "application/json")
    token = {"X-Session-Token": answer.json()["meta"]["session_token"]}
    clock.now += 14 * MINUTE
    browser.post(f"{root}/request", {"email": alice.email}, "application/json", headers=token)
    clock.now += 14 * MINUTE

    new = {"key": code(), "password": "some other plain words"}
    browser.post(f"{root}/reset", new, "application/json", headers=token)

    alice.refresh_from_db()
    assert alice.check_password("some other plain words")
