"""The cast and what every test may ask for. Alice owns, Bob shares her organisation, Charlie is a stranger."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import hypothesis
import pytest
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import Organisation, User
from contracts import rolling
from eventbus.deliveries import drain_all
from questionnaires import library
from questionnaires.definition import Questionnaire
from tests.network import guard
from tests.outbox import Outbox
from throttling import buckets

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


def pytest_configure() -> None:
    """Begin with what a terminal hands down, whatever started this: processes inherit it, those of tests, too.

    `nohup make test &` and some build servers ignore Ctrl-C, which tests press. SIGHUP stays as it is: nohup is there
    for that, and nothing here listens to it.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGCHLD, signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.umask(0o022)
    guard.install()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put browser tests last: Playwright leaves a running loop in the thread, which disturbs what comes after."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Rate limits and the like live in the cache and in memory; no test inherits them."""
    cache.clear()
    buckets.forget()
    yield
    cache.clear()
    buckets.forget()


@pytest.fixture(autouse=True)
def _nobody_was_heard() -> Iterator[None]:
    """What a sweep has found out about the versions that run is not the next test's."""
    rolling.heard([])
    yield
    rolling.heard([])


@pytest.fixture(autouse=True)
def _no_call_to_the_outside() -> Iterator[None]:
    """Requests, ordinary handlers and transactions open no connections but to services of our own."""
    guard.take()
    yield
    assert guard.take() == []


@pytest.fixture(autouse=True)
def _outbox_that_delivers(request: pytest.FixtureRequest) -> Iterator[None]:
    """`mail.outbox` has what a worker would have sent by now."""
    has_database = {"db", "transactional_db"} & {*request.fixturenames} or request.node.get_closest_marker("django_db")
    if has_database:
        request.getfixturevalue("db")  # it empties Django's outbox, so it has to come first
    mail.outbox = Outbox(bool(has_database))
    yield
    mail.outbox = []


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
