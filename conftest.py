"""The cast and what every test may ask for. Alice owns, Bob shares her organisation, Charlie is a stranger."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import hypothesis
import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import Organisation, User
from eventbus.deliveries import drain_all
from questionnaires import library
from questionnaires.definition import Questionnaire

# A busy machine is no counterexample.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")

PASSWORD = "correct horse battery staple"  # noqa: S105


def _person(name: str, organisation: Organisation | None = None) -> User:
    """A person whose address is verified."""
    return User.objects.create_user(f"{name.lower()}@example.org", PASSWORD, name=name, organisation=organisation)


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put browser tests last: Playwright leaves a running loop in the thread, which disturbs what comes after."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Rate limits and the like live in the cache; no test inherits them."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def alice(db: None) -> User:
    return _person("Alice", Organisation.objects.create(name="Acme"))


@pytest.fixture
def bob(alice: User) -> User:
    """Alice's colleague."""
    return _person("Bob", alice.organisation)


@pytest.fixture
def charlie(db: None) -> User:
    """Somebody of another organisation."""
    return _person("Charlie", Organisation.objects.create(name="Contoso"))


@pytest.fixture
def admin_user(db: None) -> User:
    return User.objects.create_superuser("admin@example.org", PASSWORD, name="Ada")


@pytest.fixture
def alice_client(alice: User) -> Client:
    return _signed_in(alice)


@pytest.fixture
def bob_client(bob: User) -> Client:
    return _signed_in(bob)


@pytest.fixture
def charlie_client(charlie: User) -> Client:
    return _signed_in(charlie)


@pytest.fixture
def quick_check(db: None) -> Questionnaire:
    """The built-in questionnaire, loaded as at the start of the product."""
    call_command("load_questionnaires", verbosity=0)
    return library.current("quick-check")


@pytest.fixture
def deliver_all(db: None) -> Callable[[], object]:
    """Drains every due delivery in this thread until nothing is due: what the workers do in the product."""
    return drain_all


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Threads that answer sockets outlive their tests and keep their connections, and PostgreSQL drops no database that
    somebody is connected to."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
