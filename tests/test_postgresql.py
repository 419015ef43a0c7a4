"""The bus, reports, second factors and the API's lists on PostgreSQL: the tests that hold on SQLite, run once more."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.services import Service

BUS = (
    "platform/eventbus/tests/on_postgresql.py",
    "platform/eventbus/tests/test_deliveries.py",
    "platform/eventbus/tests/test_on_dead.py",
    "platform/eventbus/tests/test_calling_out.py",
    "platform/mailing/tests/test_mailing.py",
    "platform/eventbus/tests/test_batches.py",
    "platform/eventbus/tests/test_other_versions.py",
    "platform/eventbus/tests/test_sweeper.py",
)
ITS_OPERATION = (
    "platform/eventbus/tests/test_health.py",
    "platform/eventbus/tests/test_pausing.py",
    "platform/eventbus/tests/test_dead_letters.py",
    "platform/eventbus/tests/test_replays.py",
    "platform/eventbus/tests/test_retention.py",
    "platform/eventbus/tests/test_superseded.py",
    "platform/eventbus/tests/test_traces.py",
    "platform/eventbus/tests/test_bus_command.py",
    "platform/operations/tests/on_postgresql.py",
    "platform/operations/tests/test_erased.py",
    "platform/operations/tests/test_versions.py",
)
ANSWERS_AND_REPORTS = (
    "accounts/tests/on_postgresql.py",
    "accounts/tests/test_losing_the_second_factor.py",
    "reports/tests/on_postgresql.py",
    "reports/tests/test_storing.py",
    "reports/tests/test_problems.py",
    "reports/tests/test_standing.py",
    "reports/tests/test_subscriptions.py",
    "platform/rows/tests/test_reader.py",
    "platform/api/tests/test_connections.py",
    "platform/config/tests/test_schema_mistakes.py",
    "answers/tests/test_lines.py",
    "answers/tests/test_schema.py",
    "answers/tests/test_schema_saving.py",
    "answers/tests/test_submissions.py",
    "platform/config/tests/test_schema_queries.py::test_each_relation_costs_the_same_from_five_rows_as_from_fifty",
)
ADMINISTRATION = (
    "platform/config/tests/test_administration.py",
    "platform/config/tests/test_erasure.py",
    "platform/config/tests/test_hostile_text.py",
)

GROUPS = {
    "bus": BUS,
    "its_operation": ITS_OPERATION,
    "answers_and_reports": ANSWERS_AND_REPORTS,
    "administration": ADMINISTRATION,
}


def test_what_is_for_postgresql_alone_is_in_a_group() -> None:
    """Pytest does not find these files by their names: what no group lists never runs."""
    folders = (ROOT / name for name in ("accounts", "answers", "platform", "reports", "security", "tests"))
    found = [str(path.relative_to(ROOT)) for folder in folders for path in folder.rglob("on_postgresql.py")]

    assert len(found) >= 4
    assert sorted(found) == sorted(file for files in GROUPS.values() for file in files if file in found)


@pytest.mark.process
@pytest.mark.parametrize(("name", "files"), GROUPS.items(), ids=GROUPS)
def test_the_promises_are_kept_on_postgresql(postgres: Service, name: str, files: tuple[str, ...]) -> None:
    # Each group makes a test database of its own, after the name in the address.
    address = postgres.url.rsplit("/", 1)[0] + f"/{name}"
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--tb=short",
            "-m",
            "not sqlite",
            *files,
        ],
        cwd=ROOT,
        env={**os.environ, "TEST_DATABASE_URL": address, "PYTEST_ADDOPTS": "", "PYTEST_XDIST_WORKER": ""},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stdout[-8000:]
