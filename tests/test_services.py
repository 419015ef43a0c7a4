"""The tests' PostgreSQL and Redis come up whichever way their programs are had."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psycopg
import pytest
import redis

from tests import services
from tests.services import POSTGRES_FROM, REDIS_FROM, or_skipped, running_postgres, running_redis

pytestmark = pytest.mark.process

STORED = [source for source in POSTGRES_FROM if source != "apt"]


def needed(sources: dict[str, services.Source], source: str) -> Path:
    """Its programs; a skip that says so where this machine does not have them that way."""
    found = sources[source]()
    if found is None:
        pytest.skip(f"{source} does not have it here")
    return found


@pytest.mark.parametrize("source", STORED)
def test_postgresql_runs_from_every_source(source: str) -> None:
    with running_postgres(needed(POSTGRES_FROM, source)) as service, psycopg.connect(service.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert service.process.poll() is not None


@pytest.mark.parametrize("source", [source for source in REDIS_FROM if source != "apt"])
def test_redis_runs_from_every_source(source: str) -> None:
    with running_redis(needed(REDIS_FROM, source)) as service, redis.Redis.from_url(service.url) as client:
        assert client.ping()
    assert service.process.poll() is not None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run PostgreSQL as somebody else")
def test_programs_in_a_home_that_others_may_not_enter_are_copied(tmp_path: Path) -> None:
    programs = needed(POSTGRES_FROM, "the wheel")
    package = programs.parent.parent
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    for part in (programs.parent, *package.parent.glob(f"{package.name}.libs")):
        shutil.copytree(part, home / part.relative_to(package.parent))
    hidden = home / programs.relative_to(package.parent)
    with running_postgres(hidden) as service, psycopg.connect(service.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize(("in_ci", "end"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_where_there_is_none_tests_are_skipped_and_in_ci_that_is_an_error(
    monkeypatch: pytest.MonkeyPatch, in_ci: str, end: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", in_ci)
    monkeypatch.setattr(services, "POSTGRES_FROM", {"nowhere": lambda: None})
    monkeypatch.setattr(services, "REDIS_FROM", {"nowhere": lambda: None})
    for service in (running_postgres, running_redis):
        with pytest.raises(end, match=r"is missing: install it \(on Debian: apt-get install"), or_skipped(service()):
            pass


@pytest.mark.skipif(os.geteuid() != 0, reason="root is asked")
def test_apt_is_asked_only_by_root_and_only_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.services.subprocess.run", lambda *given, **options: pytest.fail(f"{given} was run"))
    monkeypatch.setattr("tests.services.os.geteuid", lambda: 1000)
    assert services._installed("redis-server") is False
    monkeypatch.setattr("tests.services.os.geteuid", lambda: 0)
    monkeypatch.setattr("tests.services.shutil.which", lambda name: None)
    assert services._installed("redis-server") is False
