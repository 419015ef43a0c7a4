"""The security log of the whole product: a line for each kind of thing, and no line with what people typed."""

from __future__ import annotations

import copy
import io
import json
import logging
import logging.config
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.conf import settings as product
from django.core import mail
from django.core.management import call_command
from django.test import Client

from accounts import second_factor, setup
from accounts.models import Organisation, User
from accounts.tests import phone
from accounts.tests.conftest import confirm
from api import origins
from conftest import PASSWORD
from operations.archive import tables
from securitylog import Kind

WRONG = "wrongpassword"
NEW = "another long password"
NEW_ADDRESS = "moved@example.org"
NETWORK = "127.0.0.0/24"
NOW = 1_800_000_000.0

pytestmark = [pytest.mark.thorough, pytest.mark.django_db]


@dataclass
class Log:
    """What the product's own configuration has written, as programs read it."""

    stream: io.StringIO

    def lines(self) -> list[dict[str, Any]]:
        """The lines of the security log without what every line has."""
        found = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [
            {name: value for name, value in line.items() if name not in ("time", "logger", "message", "request_id")}
            for line in found
            if line["logger"] == "plumbline.security"
        ]

    def of(self, kind: Kind) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["event"] == kind]

    def forget(self) -> None:
        """What fixtures did is no part of the test."""
        self.stream.seek(0)
        self.stream.truncate()


@pytest.fixture
def log() -> Iterator[Log]:
    """The levels are those that an installation has without any setting."""
    stream = io.StringIO()
    wanted: dict[str, Any] = copy.deepcopy(product.LOGGING)
    wanted["handlers"]["terminal"] |= {"formatter": "json", "stream": stream}
    before = logging.root.handlers[:], logging.root.level
    logging.config.dictConfig(wanted)
    yield Log(stream)
    logging.config.dictConfig(product.LOGGING)
    logging.root.handlers[:], logging.root.level = before


def _sign_in(password: str, email: str = "alice@example.org") -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": email, "password": password})
    return client


def _code() -> str:
    """The one of the newest mail."""
    (found,) = re.findall(r"^([A-Z0-9]{4}-?[A-Z0-9]{4}|[A-Z0-9]{6})$", str(mail.outbox[-1].body), re.MULTILINE)
    return str(found)


def test_whoever_signs_in_and_out_is_noted_by_id(log: Log, alice: User) -> None:
    client = _sign_in(PASSWORD)
    client.post("/accounts/logout/")

    for kind in (Kind.SIGNED_IN, Kind.SIGNED_OUT):
        (line,) = log.of(kind)
        assert line.pop("correlation_id")
        assert line == {"level": "INFO", "event": kind, "person": str(alice.pk), "network": NETWORK}


def test_a_wrong_password_is_noted_with_whose_it_was_not(log: Log, alice: User) -> None:
    _sign_in(WRONG)
    _sign_in(WRONG, "nobody@example.org")

    assert [(line["level"], line["person"]) for line in log.of(Kind.SIGN_IN_FAILED)] == [
        ("WARNING", str(alice.pk)),
        ("WARNING", "unknown"),
    ]


def test_too_many_wrong_passwords_are_noted_as_a_lockout(log: Log, alice: User) -> None:
    for _attempt in range(5):
        _sign_in(WRONG)
    assert log.of(Kind.LOCKED_OUT) == []

    _sign_in(PASSWORD)

    (line,) = log.of(Kind.LOCKED_OUT)
    assert (line["level"], line["network"]) == ("WARNING", NETWORK)
    assert log.of(Kind.SIGNED_IN) == []


def test_a_password_that_is_changed_is_noted(log: Log, alice: User) -> None:
    client = _sign_in(PASSWORD)
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})

    (line,) = log.of(Kind.PASSWORD_CHANGED)
    assert (line["person"], line["by"]) == (str(alice.pk), str(alice.pk))


def test_a_password_that_is_recovered_is_noted_and_so_is_a_wrong_code(log: Log, alice: User) -> None:
    client = Client()
    client.post("/accounts/password/reset/", {"email": "alice@example.org"})
    client.post("/accounts/password/reset/confirm/", {"code": "XXXX-XXXX"})
    client.post("/accounts/password/reset/confirm/", {"code": _code()})
    client.post("/accounts/password/reset/complete/", {"password1": NEW, "password2": NEW})

    (wrong,) = log.of(Kind.WRONG_CODE)
    (line,) = log.of(Kind.PASSWORD_RESET)
    assert (wrong["person"], wrong["of"], line["person"]) == (str(alice.pk), "reset", str(alice.pk))


def test_an_address_that_is_changed_is_noted(log: Log, alice: User) -> None:
    client = _sign_in(PASSWORD)
    confirm(client)
    client.post("/accounts/email/", {"email": NEW_ADDRESS, "action_add": ""})
    client.post("/accounts/confirm-email/", {"code": _code()})

    alice.refresh_from_db()
    (line,) = log.of(Kind.ADDRESS_CHANGED)
    assert (alice.email, line["person"]) == (NEW_ADDRESS, str(alice.pk))


def test_a_sign_up_is_noted(log: Log) -> None:
    Client().post("/accounts/signup/", {"email": "new@example.org", "password1": NEW, "name": "Newt"})

    assert [line["person"] for line in log.of(Kind.SIGNED_UP)] == [str(User.objects.get(email="new@example.org").pk)]


def test_a_password_that_a_delicate_page_asks_for_in_vain_is_noted(log: Log, alice: User) -> None:
    client = _sign_in(PASSWORD)
    client.post("/accounts/reauthenticate/", {"password": WRONG})

    assert [line["person"] for line in log.of(Kind.CONFIRMATION_FAILED)] == [str(alice.pk)]
    assert log.of(Kind.SIGN_IN_FAILED) == []


@pytest.mark.django_db(transaction=True)
def test_the_life_of_a_second_factor_is_noted(log: Log, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "time", SimpleNamespace(time=lambda: NOW))
    client = _sign_in(PASSWORD)
    confirm(client)
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    (secret,) = re.findall(r'<p class="secret">([A-Z2-7 ]+)</p>', page)
    client.post("/accounts/2fa/totp/activate/", {"code": phone.code(secret, NOW)})
    one = Authenticator.objects.get(user=alice, type="recovery_codes").wrap().get_unused_codes()[0]
    other = _sign_in(PASSWORD)
    other.post("/accounts/2fa/authenticate/", {"code": "000000"})
    other.post("/accounts/2fa/authenticate/", {"code": one})
    client.post("/accounts/2fa/recovery-codes/generate/")
    client.post("/accounts/2fa/totp/deactivate/")

    mine = str(alice.pk)
    assert [line["person"] for line in log.of(Kind.SECOND_FACTOR_ON)] == [mine]
    assert [(line["person"], line["of"]) for line in log.of(Kind.WRONG_CODE)] == [(mine, "second_factor")]
    assert [line["person"] for line in log.of(Kind.RECOVERY_CODE_USED)] == [mine]
    assert {line["person"] for line in log.of(Kind.RECOVERY_CODES_MADE)} == {mine}
    assert [line["by"] for line in log.of(Kind.SECOND_FACTOR_OFF)] == [mine]
    assert {line["person"] for line in log.of(Kind.SESSIONS_ENDED)} == {mine}
    assert one not in log.stream.getvalue()
    assert secret not in log.stream.getvalue()


def test_a_second_factor_that_an_operator_switches_off_is_noted(log: Log, alice: User) -> None:
    auth.TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    call_command("second_factor", "off", "alice@example.org", stdout=io.StringIO())

    (line,) = log.of(Kind.SECOND_FACTOR_OFF)
    assert line["by"].startswith("uid:")
    assert not second_factor.is_on(alice)


def test_who_may_not_enter_is_noted(log: Log, alice: User, alice_client: Client) -> None:
    alice_client.get("/admin/")  # leads to the sign-in
    alice.is_staff = True
    alice.save()
    alice_client.get("/admin/accounts/user/")  # 403

    assert [(line["level"], line["view"], line["person"]) for line in log.of(Kind.DENIED)] == [
        ("WARNING", "admin:index", str(alice.pk)),
        ("WARNING", "admin:accounts_user_changelist", str(alice.pk)),
    ]


def test_somebody_elses_object_is_no_denial(log: Log, alice_client: Client) -> None:
    log.forget()
    assert alice_client.get("/reports/00000000-0000-4000-8000-000000000001/").status_code == 404
    assert log.lines() == []


def test_a_form_without_its_token_is_noted_once(log: Log, alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    before = len(log.lines())

    assert strict.post("/accounts/logout/").status_code == 403

    (line,) = log.lines()[before:]
    assert (line["event"], line["view"], line["person"]) == (Kind.CSRF_FAILED, "account_logout", str(alice.pk))


def test_a_cookie_from_a_page_of_another_site_is_noted(log: Log, alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)

    answer = strict.post(
        "/graphql", {"query": "{__typename}"}, "application/json", headers={"Origin": "https://evil.example"}
    )
    host, origin = (b"host", b"localhost:8000"), (b"origin", b"https://evil.example")
    origins.of_handshake({"path": "/ws/reports/", "headers": [host, origin], "client": ("192.0.2.77", 1)})

    assert answer.status_code == 403
    assert [(line["view"], line["network"]) for line in log.of(Kind.FOREIGN_ORIGIN)] == [
        ("graphql", NETWORK),
        ("/ws/reports/", "192.0.2.0/24"),
    ]
    assert log.of(Kind.DENIED) == []
    assert "evil" not in log.stream.getvalue()


def test_a_socket_behind_a_proxy_is_noted_with_where_it_came_from(log: Log, settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    headers = [(b"host", b"a"), (b"origin", b"https://b"), (b"x-forwarded-for", b"203.0.113.9, 198.51.100.7")]

    origins.of_handshake({"path": "/graphql", "headers": headers, "client": ("127.0.0.1", 1)})

    assert [line["network"] for line in log.of(Kind.FOREIGN_ORIGIN)] == ["198.51.100.0/24"]


def test_a_request_too_many_is_noted(log: Log, alice: User) -> None:
    for _request in range(40):
        answer = Client().post("/accounts/password/reset/", {"email": "alice@example.org"})
        if answer.status_code == 429:
            break

    assert [line["view"] for line in log.of(Kind.TOO_MANY)] == ["account_reset_password"]


def test_what_is_done_in_the_administration_is_noted_with_ids(log: Log, admin_user: User, alice: User) -> None:
    desk = Client()
    desk.force_login(admin_user)
    ada, mine = str(admin_user.pk), str(alice.pk)

    desk.post("/admin/accounts/organisation/add/", {"name": "Bakery", **_no_members()})
    made = Organisation.objects.get(name="Bakery")
    desk.post(f"/admin/accounts/organisation/{made.pk}/change/", {"name": "", **_no_members()})  # a mistake: no line
    desk.post(f"/admin/accounts/organisation/{made.pk}/change/", {"name": "Café", **_no_members()})
    desk.post(f"/admin/accounts/organisation/{made.pk}/delete/", {"post": "yes"})
    ticked = {"action": "delete_selected", "_selected_action": [mine, ada], "post": "yes"}
    desk.post("/admin/accounts/user/", {**ticked, "_selected_action": [mine]})

    said = [(line["view"], line.get("action"), line["objects"], line["by"]) for line in log.of(Kind.ADMINISTRATION)]
    assert said == [
        ("admin:accounts_organisation_add", None, str(made.pk), ada),
        ("admin:accounts_organisation_change", None, str(made.pk), ada),
        ("admin:accounts_organisation_delete", None, str(made.pk), ada),
        ("admin:accounts_user_changelist", "delete_selected", mine, ada),
    ]
    assert not User.objects.filter(pk=alice.pk).exists()


def _no_members() -> dict[str, str]:
    return {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}


def test_what_an_operator_does_to_the_bus_is_noted(log: Log) -> None:
    for action in (["pause", "reports.store"], ["status"], ["resume", "reports.store"]):
        call_command("bus", *action, stdout=io.StringIO())

    assert [(line["view"], line["by"][:4]) for line in log.of(Kind.ADMINISTRATION)] == [
        ("bus:pause", "uid:"),
        ("bus:resume", "uid:"),
    ]


def test_rights_that_are_given_are_noted_by_their_names(log: Log, admin_user: User, alice: User) -> None:
    desk = Client()
    desk.force_login(admin_user)
    member = alice.memberships.get()
    form = {
        "email": NEW_ADDRESS,
        "name": "Alice",
        "is_active": "on",
        "is_staff": "on",
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "1",
        "memberships-0-id": str(member.pk),
        "memberships-0-user": str(alice.pk),
        "memberships-0-organisation": str(member.organisation_id),
    }

    log.forget()
    desk.post(f"/admin/accounts/user/{alice.pk}/change/", form)

    (line,) = log.of(Kind.RIGHTS_CHANGED)
    assert (line["person"], line["rights"], line["by"]) == (str(alice.pk), "is_staff", str(admin_user.pk))
    (moved,) = log.of(Kind.ADDRESS_CHANGED)
    assert (moved["person"], moved["by"]) == (str(alice.pk), str(admin_user.pk))


def test_the_link_of_the_first_administrator_is_noted_without_its_token(log: Log) -> None:
    path = setup.create_setup_link()
    assert path
    Client().post(path, {"email": "ada@example.org", "password": NEW, "organisation": "Acme"})

    ada = User.objects.get(email="ada@example.org")
    assert [line["by"].startswith("uid:") for line in log.of(Kind.SETUP_LINK_MADE)] == [True]
    assert [(line["person"], line["rights"]) for line in log.of(Kind.RIGHTS_CHANGED)] == [(str(ada.pk), "is_superuser")]
    assert path.split("/")[-2] not in log.stream.getvalue()


@pytest.mark.django_db(transaction=True)
def test_backups_and_restores_are_noted(log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "tables", lambda: [Organisation])
    file = str(tmp_path / "b.plumbline")
    call_command("backup", file, verbosity=0, stdout=io.StringIO())
    call_command("restore", file, "--replace", "--yes", verbosity=0, stdout=io.StringIO())

    assert [line["secret_key"] for line in log.of(Kind.BACKUP_MADE)] == ["no"]
    assert [line["replaced"] for line in log.of(Kind.RESTORED)] == ["yes"]
    assert str(tmp_path) not in log.stream.getvalue()


def test_no_line_has_what_people_typed(log: Log, alice: User, admin_user: User) -> None:
    """All of it again in one log, with texts that can be found."""
    test_a_sign_up_is_noted(log)
    test_a_wrong_password_is_noted_with_whose_it_was_not(log, alice)
    test_a_password_that_is_recovered_is_noted_and_so_is_a_wrong_code(log, alice)
    User.objects.get(pk=alice.pk).set_password(PASSWORD)
    test_what_is_done_in_the_administration_is_noted_with_ids(log, admin_user, alice)

    written = log.stream.getvalue()
    typed = ["example.org", WRONG, PASSWORD, NEW, NEW.split()[1], "XXXX", "Newt", "Bakery", "Caf", "Alice"]
    assert len(log.lines()) > 8
    assert [text for text in typed if text in written] == []


def test_the_level_of_the_security_log_is_its_own() -> None:
    assert product.LOG_LEVEL == "WARNING"
    assert product.LOGGING["loggers"]["plumbline.security"] == {"level": "INFO"}  # type: ignore[index]


def test_every_kind_of_line_is_told_in_the_documentation() -> None:
    told = (product.ROOT / "docs" / "operations.md").read_text()

    assert [kind for kind in Kind if f"`{kind}`" not in told] == []
