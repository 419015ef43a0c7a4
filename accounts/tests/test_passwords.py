"""Which new passwords are refused because everybody who sees this installation would try them."""

from __future__ import annotations

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django import Settings

from accounts import setup
from accounts.models import User
from accounts.passwords import NotOfThisInstallation
from accounts.tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
REASON = "everybody tries first"


@pytest.fixture(autouse=True)
def _host(settings: Settings) -> None:
    settings.BASE_URL = "https://checks.bakery-group.example"


@pytest.mark.parametrize(
    "password",
    [
        "plumbline",
        "Plumbline2026!",
        "PLUMBLINEplumbline",
        "P1umbl!ne-123",
        "checks.bakery-group.example",
        "BakeryGroup12",
        "Acme Widgets 1",
        "widgets&acme",
        "Plumbline Acme",
    ],
)
def test_little_more_than_a_word_of_this_installation_is_refused(password: str, alice: User) -> None:
    organisation = alice.organisation
    organisation.name = "Acme Widgets"
    organisation.save()

    with pytest.raises(ValidationError, match=REASON):
        NotOfThisInstallation().validate(password, alice)


@pytest.mark.parametrize(
    "password", [PASSWORD, "plumbline hangs from a string", "the acme of all widgets is here", "checkered tablecloth"]
)
def test_a_word_among_others_is_fine(password: str, alice: User) -> None:
    NotOfThisInstallation().validate(password, alice)


@pytest.mark.parametrize(
    "password", ["80149265537", "zwqkvjxmgplt", "........;;;,,,", "только слова", "  spaces  around  "]
)
def test_any_composition_is_taken(password: str, alice: User) -> None:
    validate_password(password, alice)


@pytest.mark.parametrize("organisation", ["Flour & Sons", ""])
def test_signing_up_counts_the_organisation_that_is_named(organisation: str, client: Client) -> None:
    form = {"email": "dora@mill.example", "password1": "flour-and-sons", "organisation": organisation}
    page = client.post("/accounts/signup/", form | {"password1": "FlourSons99"})

    assert (REASON in page.content.decode()) is bool(organisation)
    assert User.objects.exists() is not bool(organisation)


@pytest.mark.parametrize("password", ["plumbline 2026", "checks-checks"])
def test_all_ways_to_set_one_refuse_it(password: str, client: Client, alice_client: Client, alice: User) -> None:
    link = setup.create_setup_link()
    assert link
    change = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    json = {"email": "dora@mill.example", "password": password}
    answers = [
        client.post("/accounts/signup/", {"email": "dora@mill.example", "password1": password}),
        client.post("/_allauth/app/v1/auth/signup", json, "application/json"),
        client.post(link, {"email": "ada@mill.example", "password": password, "organisation": "Mill"}),
        alice_client.post("/accounts/password/change/", change),
    ]

    assert [REASON in answer.content.decode() for answer in answers] == [True] * 4
    assert list(User.objects.all()) == [alice]
