"""The limits as they come, and as an operator sets them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.unlimited import WITHOUT_BUCKETS
from throttling.rates import Rate

ROOT = Path(__file__).resolve().parents[3]
SHOW = "from config import settings; print(*sorted(settings.THROTTLING.items()), settings.MAX_DRAFTS, sep='\\n')"


def shown(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": paths, "DATA_DIR": str(folder), **environment}
    return subprocess.run(
        [sys.executable, "-c", SHOW], env=given, cwd=folder, capture_output=True, text=True, timeout=60
    )


def test_they_are_on_as_they_come(tmp_path: Path) -> None:
    assert shown(tmp_path).stdout.splitlines() == [
        f"('api-person', {Rate(50_000 / 60, 50_000)})",
        f"('save-organisation', {Rate(50.0, 100)})",
        f"('save-person', {Rate(5.0, 40)})",
        f"('start-person', {Rate(10 / 60, 10)})",
        f"('submit-person', {Rate(10 / 60, 10)})",
        "200",
    ]


def test_what_tests_lift_is_all_of_them(tmp_path: Path) -> None:
    lines = shown(tmp_path, **WITHOUT_BUCKETS).stdout.splitlines()

    assert len(lines) == len(WITHOUT_BUCKETS) + 1
    assert [line for line in lines[:-1] if not line.endswith(", None)")] == []


def test_one_that_can_not_be_understood_is_refused_by_its_name(tmp_path: Path) -> None:
    refused = shown(tmp_path, LIMIT_SAVES_PERSON="5 per second")
    assert refused.returncode != 0
    assert "LIMIT_SAVES_PERSON" in refused.stderr
    assert "write a number and a time, as in 10/m" in refused.stderr
