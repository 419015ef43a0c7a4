"""The bus, reports, second factors and the API's lists on PostgreSQL: the tests that hold on SQLite, run once more."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.services import Service

pytestmark = pytest.mark.process

ON_POSTGRESQL = (
    "accounts/tests/on_postgresql.py",
    "accounts/tests/test_losing_the_second_factor.py",
    "platform/eventbus/tests/on_postgresql.py",
    "platform/eventbus/tests/test_deliveries.py",
    "platform/eventbus/tests/test_on_dead.py",
    "platform/eventbus/tests/test_calling_out.py",
    "platform/mailing/tests/test_mailing.py",
    "platform/eventbus/tests/test_batches.py",
    "platform/eventbus/tests/test_other_versions.py",
    "platform/eventbus/tests/test_sweeper.py",
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
    "reports/tests/on_postgresql.py",
    "reports/tests/test_storing.py",
    "reports/tests/test_problems.py",
    "reports/tests/test_standing.py",
    "reports/tests/test_subscriptions.py",
    "platform/api/tests/test_connections.py",
    "platform/config/tests/test_administration.py",
    "platform/config/tests/test_erasure.py",
    "platform/config/tests/test_hostile_text.py",
    "platform/config/tests/test_schema_mistakes.py",
    "answers/tests/test_lines.py",
    "answers/tests/test_schema.py",
    "answers/tests/test_schema_saving.py",
    "answers/tests/test_submissions.py",
    "platform/config/tests/test_schema_queries.py::test_each_relation_costs_the_same_from_five_rows_as_from_fifty",
)


def test_the_bus_the_reports_and_the_api_keep_their_promises_on_postgresql(postgres: Service) -> None:
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
            *ON_POSTGRESQL,
        ],
        cwd=ROOT,
        env={**os.environ, "TEST_DATABASE_URL": postgres.url, "PYTEST_ADDOPTS": "", "PYTEST_XDIST_WORKER": ""},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stdout[-8000:]
