"""The embedded mode's one process dies."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.faults.site import Embedded
from tests.faults.stage import Stage


def kill_embedded(stage: Stage[Embedded]) -> None:
    """kill -9 of the embedded process, ten times a run, each followed by SQLite's `integrity_check` and a start."""
    for _ in range(2 if stage.short else 10):
        stage.wait(stage.dice.uniform(0.3, 1.5))
        stage.site.kill()
        stage.mark()
        with closing(sqlite3.connect(stage.site.server.data_dir / "plumbline.sqlite3")) as database:
            found = database.execute("PRAGMA integrity_check").fetchall()
        stage.expect(found == [("ok",)], f"integrity_check: {found}")
        stage.site.server.start()
        stage.recoveries.wait(20)
