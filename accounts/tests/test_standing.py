"""Sessions of open connections, looked up many at once: each counts as it would for a request."""

from __future__ import annotations

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Membership, User
from accounts.standing import of_session, of_sessions


def _key(client: Client) -> str:
    key = client.session.session_key
    assert key
    return key


@pytest.fixture
def session(alice_client: Client) -> str:
    return _key(alice_client)


@pytest.mark.django_db
def test_each_session_has_the_organisations_of_its_person(
    alice: User,
    charlie: User,
    alice_client: Client,
    charlie_client: Client,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    charlie.join(alice.organisation)
    keys = [_key(alice_client), _key(charlie_client), "unknown", ""]

    with django_assert_num_queries(3):
        found = of_sessions(keys)

    assert found == {
        keys[0]: frozenset({alice.organisation.pk}),
        keys[1]: frozenset(charlie.organisations.values_list("pk", flat=True)),
    }
    assert len(found[keys[1]]) == 2


@pytest.mark.django_db
def test_who_belongs_nowhere_is_signed_in_all_the_same(alice: User, session: str) -> None:
    Membership.objects.filter(user=alice).delete()

    assert of_sessions([session]) == {session: frozenset()}


@pytest.mark.django_db
def test_a_session_ends_with_its_person(alice: User, session: str) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert of_sessions([session]) == {}

    Membership.objects.filter(user=alice).delete()
    User.objects.filter(pk=alice.pk).delete()
    assert of_sessions([session]) == {}


@pytest.mark.django_db
def test_a_session_ends_with_its_password(alice: User, session: str) -> None:
    alice.set_password("another few plain words")
    alice.save()

    assert of_sessions([session]) == {}


@pytest.mark.django_db
def test_a_session_ends_in_time(session: str) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    assert of_sessions([session]) == {}


@pytest.mark.django_db
def test_a_session_without_a_person_is_nobodys(client: Client) -> None:
    anonymous = client.session
    anonymous["account_login"] = {"pending": True}
    anonymous.save()

    assert of_sessions([anonymous.session_key or "none"]) == {}


@pytest.mark.django_db
def test_a_session_ends_with_its_way_of_signing_in(session: str, settings: Settings) -> None:
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]

    assert of_sessions([session]) == {}


@pytest.mark.django_db
def test_a_session_lives_on_under_a_new_secret_key_as_long_as_the_old_one_is_a_fallback(
    session: str, settings: Settings
) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new one"
    assert list(of_sessions([session])) == [session]

    settings.SECRET_KEY_FALLBACKS = []
    assert of_sessions([session]) == {}


@pytest.mark.django_db(transaction=True)
async def test_a_look_up_sees_what_was_committed_before_it(alice: User, alice_client: Client, session: str) -> None:
    organisation = await sync_to_async(lambda: alice.organisation.pk)()
    assert await of_session(session) == frozenset({organisation})

    await sync_to_async(alice_client.logout)()

    assert await of_session(session) is None
