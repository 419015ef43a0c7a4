"""Bringing the tables up to date on a machine that has nothing yet."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from config.environment import ROOT


@pytest.mark.process
def test_folder_and_database_are_made_for_their_owner_only(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path / "new" / "data")}

    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        umask=0o022,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert stat.S_IMODE((tmp_path / "new" / "data" / "plumbline.sqlite3").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new" / "data").stat().st_mode) == 0o700
