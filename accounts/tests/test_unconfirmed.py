"""Sign-ups that nobody confirms go away, and nothing else does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import unconfirmed
from accounts.models import Organisation, User
from answers.submissions import start
from eventbus.sweeper import Sweeper
from questionnaires.definition import Questionnaire

pytestmark = pytest.mark.django_db

EMAIL = "new@example.org"


@pytest.fixture
def newcomer() -> User:
    """Somebody who signed up eight days ago and never came back."""
    form = {"email": EMAIL, "password1": "several plain words", "name": "Newt", "organisation": "Newts"}
    Client().post("/accounts/signup/", form)
    return _aged(User.objects.get(email=EMAIL))


def _aged(person: User, days: int = 8) -> User:
    person.date_joined = timezone.now() - timedelta(days=days)
    person.save()
    return person


def _is_there(person: User) -> bool:
    return User.objects.filter(pk=person.pk).exists()


def test_an_old_sign_up_goes_with_its_organisation(newcomer: User, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "plumbline.security"):
        assert unconfirmed.forget() == 1

    assert not _is_there(newcomer)
    assert not Organisation.objects.filter(name="Newts").exists()
    assert not EmailAddress.objects.filter(email=EMAIL).exists()
    assert f"event=sign_up_forgotten person={newcomer.pk}" in caplog.messages


def test_the_address_can_sign_up_again(newcomer: User) -> None:
    unconfirmed.forget()
    cache.clear()  # a code was sent eight days ago, not within ten seconds
    Client().post("/accounts/signup/", {"email": EMAIL, "password1": "several plain words"})

    assert User.objects.filter(email=EMAIL).exists()


@pytest.mark.parametrize(("days", "goes"), [(6, False), (8, True)])
def test_it_has_its_days(newcomer: User, days: int, goes: bool) -> None:
    _aged(newcomer, days)

    assert unconfirmed.forget() == goes


def test_with_no_days_nothing_goes(newcomer: User, settings: Settings) -> None:
    settings.UNCONFIRMED_DAYS = 0

    assert unconfirmed.forget() == 0


def test_people_who_confirmed_or_came_in_or_were_made_by_others_stay(newcomer: User, alice: User) -> None:
    """Alice's address was vouched for; of the others, each has one of the reasons to stay."""
    _aged(alice)
    EmailAddress.objects.filter(user=newcomer).update(verified=True)
    assert unconfirmed.forget() == 0

    EmailAddress.objects.filter(user=newcomer).update(verified=False)
    for reason in ({"last_login": timezone.now()}, {"is_staff": True}, {"is_superuser": True}):
        User.objects.filter(pk=newcomer.pk).update(**reason)
        assert unconfirmed.forget() == 0
        User.objects.filter(pk=newcomer.pk).update(last_login=None, is_staff=False, is_superuser=False)

    newcomer.join(alice.organisation)  # an administrator expects them
    assert unconfirmed.forget() == 0
    assert _is_there(newcomer)


def test_an_organisation_that_holds_something_stays(newcomer: User, alice: User, quick_check: Questionnaire) -> None:
    home = newcomer.organisation
    alice.join(home)
    start(alice, "quick-check", organisation=home)
    alice.memberships.filter(organisation=home).delete()

    assert unconfirmed.forget() == 1
    assert Organisation.objects.filter(pk=home.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_the_sweeper_does_it_now_and_then(newcomer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unconfirmed._turn, "_next", 0.0)

    Sweeper().sweep_once()
    assert not _is_there(newcomer)

    assert not unconfirmed._turn.take()  # the next round comes later
