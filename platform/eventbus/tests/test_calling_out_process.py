"""A worker that is killed between its call and the end of its delivery: the call is made again, with the same key."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from contracts import AnswerEvent
from eventbus import subscribe
from eventbus.tests.making import commit, saved
from eventbus.tests.test_poison_process import Database

WORKER = """
import os, sys, django
django.setup()
from pathlib import Path
from contracts import AnswerEvent
from eventbus import subscribe
from eventbus.deliveries import drain_all
from eventbus.subscriptions import registry
from eventbus.tests.making import effect
registry.clear()

@subscribe(AnswerEvent, name="test.call", outside=True)
def call(event, key):
    with Path(sys.argv[2]).open("a") as world:
        world.write(key + "\\n")
    if sys.argv[1] == "before":
        os._exit(9)

    def finish():
        effect("answered")
        if sys.argv[1] == "within":
            os._exit(9)

    return finish

drain_all()
"""


def run_worker(folder: Path, fate: str) -> int:
    """A worker process that drains everything, or is killed before or within the finishing transaction."""
    environment = os.environ | {
        "DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": os.pathsep.join([str(settings.ROOT), str(settings.ROOT / "platform")]),
    }
    command = [sys.executable, "-c", WORKER, fate, str(folder / "world")]
    return subprocess.run(command, env=environment, check=False, timeout=60).returncode


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_the_call_is_made_again_with_the_same_key_and_stored_once(tmp_path: Path) -> None:
    subscribe(AnswerEvent, name="test.call", outside=True)(lambda event, key: None)
    commit(saved())
    database = Database(tmp_path / "plumbline.sqlite3")

    for attempts, fate in enumerate(("before", "within"), start=1):
        assert run_worker(tmp_path, fate) == 9
        assert (database.deliveries(), database.effects()) == ([(1, "leased", attempts)], [])
        database.let_leases_run_out()

    assert run_worker(tmp_path, "spared") == 0
    assert (database.deliveries(), database.effects()) == ([(1, "done", 3)], ["answered"])
    keys = (tmp_path / "world").read_text().split()
    assert (len(keys), len(set(keys))) == (3, 1)
    database.connection.close()
