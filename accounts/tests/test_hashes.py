"""How passwords are stored, and how older hashes are replaced without signing anybody out by surprise."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, identify_hasher, make_password
from django.test import Client
from pytest_django import Settings

from accounts.hashers import Argon2id
from accounts.models import Organisation, User
from config import settings as product
from contracts import rolling

PASSWORD = "correct horse battery staple"
EMAIL = "alice@example.org"

pytestmark = [pytest.mark.thorough, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _as_in_the_product(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PASSWORD_HASHERS = product.PASSWORD_HASHERS
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1000)
    monkeypatch.setattr(rolling, "_oldest", (0, 3, 0))


@pytest.fixture
def alice() -> User:
    """Somebody whose hash is from before."""
    alice = User.objects.create_user(EMAIL, None, organisation=Organisation.objects.create(name="Acme"))
    alice.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    alice.save()
    return alice


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each hasher has computed something; it goes on computing."""
    done: Counter[str] = Counter()
    for hasher in (Argon2id, PBKDF2PasswordHasher):
        for name in ("encode", "verify"):
            real = getattr(hasher, name)

            def counted(self: object, *args: object, real: object = real, **kwargs: object) -> object:
                done[type(self).__name__] += 1
                before = done[type(self).__name__]
                result = real(self, *args, **kwargs)  # type: ignore[operator]
                done[type(self).__name__] = before  # PBKDF2's check computes by `encode`
                return result

            monkeypatch.setattr(hasher, name, counted)
    return done


def _sign_in(password: str = PASSWORD, email: str = EMAIL) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": email, "password": password})
    return client


def _is_signed_in(client: Client) -> bool:
    return client.get("/questionnaires/").status_code == 200


def _algorithm(person: User) -> str:
    person.refresh_from_db()
    return str(identify_hasher(person.password).algorithm)


def test_a_new_password_is_kept_by_argon2id_with_owasps_setting() -> None:
    user = User()
    user.set_password(PASSWORD)

    assert user.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert user.check_password(PASSWORD)
    assert not user.check_password(PASSWORD.upper())


def test_an_older_hash_is_replaced_at_the_sign_in(alice: User) -> None:
    assert _is_signed_in(_sign_in())

    assert _algorithm(alice) == "argon2"
    assert _is_signed_in(_sign_in())


def test_a_wrong_password_replaces_nothing(alice: User) -> None:
    assert not _is_signed_in(_sign_in("wrong"))

    assert _algorithm(alice) == "pbkdf2_sha256"


def test_who_confirms_the_password_stays_signed_in(alice: User) -> None:
    browser = Client()
    browser.force_login(alice)

    assert browser.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302

    assert _is_signed_in(browser)
    assert _algorithm(alice) == "pbkdf2_sha256"


def test_beside_an_older_process_only_the_form_that_it_reads_is_written(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = alice.password
    monkeypatch.setattr(rolling, "_oldest", (0, 2, 0))

    assert _is_signed_in(_sign_in())
    alice.refresh_from_db()
    assert alice.password == before  # as it was: a new hash would end other sessions for nothing

    alice.set_password("another long password")
    assert alice.password.startswith("pbkdf2_sha256$")


def test_somebody_who_signs_up_then_is_stored_in_that_form_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rolling, "_oldest", (0, 2, 0))
    Client().post("/accounts/signup/", {"email": "new@example.org", "password1": PASSWORD})

    assert _algorithm(User.objects.get(email="new@example.org")) == "pbkdf2_sha256"


def test_an_older_process_that_comes_back_brings_no_older_form_back(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    _sign_in()
    monkeypatch.setattr(rolling, "_oldest", (0, 2, 0))

    assert _is_signed_in(_sign_in())
    assert _algorithm(alice) == "argon2"


def test_weaker_settings_of_argon2id_are_replaced_too(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as weaker:
        weaker.setattr(Argon2id, "memory_cost", 1024)
        alice.set_password(PASSWORD)
        alice.save()
    assert "$m=1024," in alice.password

    _sign_in()

    alice.refresh_from_db()
    assert "$m=19456," in alice.password


def test_a_refused_sign_in_costs_the_same_whoever_is_asked_for(alice: User, work: Counter[str]) -> None:
    bob = User.objects.create_user("bob@example.org", PASSWORD, organisation=alice.organisation)
    locked = User.objects.create_user("locked@example.org", None, organisation=alice.organisation)
    costs = {}
    for email in (alice.email, bob.email, locked.email, "nobody@example.org"):
        work.clear()
        _sign_in("wrong", email)
        costs[email] = dict(work)

    assert _algorithm(alice) != _algorithm(bob)
    assert costs == {email: {"Argon2id": 1, "PBKDF2PasswordHasher": 1} for email in costs}


def test_a_new_password_needs_the_current_one(alice: User) -> None:
    browser = Client()
    browser.force_login(alice)
    new = {"password1": "another long password", "password2": "another long password"}

    refused = browser.post("/accounts/password/change/", {"oldpassword": "wrong", **new})
    alice.refresh_from_db()
    assert "The current password is wrong." in refused.content.decode()
    assert alice.check_password(PASSWORD)

    browser.post("/accounts/password/change/", {"oldpassword": PASSWORD, **new})
    alice.refresh_from_db()
    assert alice.check_password("another long password")


@pytest.mark.parametrize(
    ("page", "kinds"),
    [
        ("/accounts/login/", ["current-password"]),
        ("/accounts/signup/", ["new-password"]),
        ("/accounts/password/change/", ["current-password", "new-password", "new-password"]),
        ("/accounts/reauthenticate/", ["current-password"]),
    ],
)
def test_a_password_is_masked_and_may_be_pasted_and_filled_in(page: str, kinds: list[str], alice: User) -> None:
    browser = Client()
    if page in ("/accounts/password/change/", "/accounts/reauthenticate/"):
        browser.force_login(alice)
    text = browser.get(page).content.decode()
    fields = re.findall(r'<input[^>]*name="(?:old|re)?password[12]?"[^>]*>', text)

    assert [re.search(r'autocomplete="([^"]+)"', field)[1] for field in fields] == kinds  # type: ignore[index]
    assert all('type="password"' in field and "readonly" not in field and "onpaste" not in field for field in fields)


@pytest.mark.parametrize(
    "password", ["ä ö ü 日本語 ελληνικά", "   leading and trailing   ", "x" * 128, "UPPER CASE", "😀" * 12]
)
def test_a_password_is_taken_as_it_is(password: str, alice: User) -> None:
    browser = Client()
    browser.force_login(alice)
    new = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    browser.post("/accounts/password/change/", new)

    assert _is_signed_in(_sign_in(password))
    assert not _is_signed_in(_sign_in(password.strip() + "x"))
    assert not _is_signed_in(_sign_in(password.swapcase() + "y"))
