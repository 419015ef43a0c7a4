"""The growth part: what one changed answer stores, and what an organisation's tabs cost it.

python -m tests.bench.growth [--quick]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.crowding import bench_crowd
from tests.bench.figures import emit, wants_quick
from tests.services import CannotHave, running_postgres

ROOT = Path(__file__).resolve().parent.parent.parent
MOST_KIB = 12
"""Aim: what one changed radio of a full draft may store for good."""


def main() -> None:
    """Run all of it."""
    bytes_stored("sqlite", {})
    try:
        with running_postgres() as postgres:
            bytes_stored("postgresql", {"TEST_DATABASE_URL": postgres.url})
    except CannotHave as reason:
        emit("kib_stored_per_save", None, None, database="postgresql", skipped=str(reason))
    for mode in ("embedded", "production"):
        try:
            bench_crowd(mode, quick=wants_quick())
        except CannotHave as reason:
            emit("hints_ms", None, None, mode=mode, skipped=str(reason))


def bytes_stored(database: str, environment: dict[str, str]) -> None:
    """KiB that the whole database is larger for one changed radio, before and after superseded events are emptied; the
    database is vacuumed before each measurement."""
    with tempfile.TemporaryDirectory(prefix="plumbline-growth-") as folder:
        given = {
            **os.environ,
            **environment,
            "DJANGO_SETTINGS_MODULE": "config.settings_for_tests",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]),
            "TMPDIR": folder,
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.storing"], cwd=ROOT, env=given, check=True, stdout=subprocess.PIPE
        )
    found = json.loads(done.stdout.splitlines()[-1])
    emit("kib_stored_per_save", found["emptied"], None, database=database, aim=MOST_KIB, **found)


if __name__ == "__main__":
    main()
