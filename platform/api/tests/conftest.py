"""Real servers, started once for all tests of a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from api import execution
from api.tests.servers import Installation, Server


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("api") / "data")


@pytest.fixture(scope="session")
def uvicorn(installation: Installation) -> Iterator[Server]:
    server = Server("uvicorn", installation)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def daphne(installation: Installation) -> Iterator[Server]:
    server = Server("daphne", installation)
    yield server
    server.stop()


@pytest.fixture
def members(installation: Installation) -> Iterator[Installation]:
    """The same installation; people and memberships are afterwards what they were."""
    before = installation.execute("SELECT * FROM accounts_membership")
    yield installation
    installation.execute("UPDATE accounts_user SET is_active = 1")
    installation.execute("DELETE FROM accounts_membership")
    for row in before:
        installation.execute(f"INSERT INTO accounts_membership VALUES ({', '.join('?' * len(row))})", *row)  # noqa: S608


@pytest.fixture(params=["uvicorn", "daphne"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the two in turn."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def small_schema(settings: Settings) -> Iterator[None]:
    """Lets this process answer by the tests' schema."""
    settings.GRAPHENE = {"SCHEMA": "api.tests.schema.schema"}
    execution.forget()
    yield
    execution.forget()
