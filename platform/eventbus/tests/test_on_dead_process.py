"""A worker that is killed between the end of a delivery and the word about it takes neither of them along."""

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
from contracts import AnswerEvent
from eventbus import NeverRetry, Retry, subscribe
from eventbus.deliveries import drain_all
from eventbus.subscriptions import registry
from eventbus.tests.making import effect
registry.clear()

def mourn(event):
    effect(f"dead {event.answer.revision}")
    if sys.argv[1] == "killed":
        os._exit(9)

@subscribe(AnswerEvent, name="test.fragile", retry=Retry(max_attempts=2), on_dead=mourn)
def fragile(event):
    raise NeverRetry("no")

drain_all()
"""


def run_worker(folder: Path, fate: str) -> int:
    """A worker process that drains everything, or is killed once on_dead has done its work; gives its exit status."""
    environment = os.environ | {
        "DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": os.pathsep.join([str(settings.ROOT), str(settings.ROOT / "platform")]),
    }
    return subprocess.run([sys.executable, "-c", WORKER, fate], env=environment, check=False, timeout=60).returncode


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_the_mark_and_the_word_come_together_or_not_at_all(tmp_path: Path) -> None:
    subscribe(AnswerEvent, name="test.fragile")(lambda event: None)
    commit(saved(revision=1))
    database = Database(tmp_path / "plumbline.sqlite3")

    # Twice while it is handled, once while it is buried by the sweep.
    for attempts in (1, 2, 3):
        assert run_worker(tmp_path, "killed") == 9
        assert (database.deliveries(), database.effects()) == ([(1, "leased", attempts)], [])
        database.let_leases_run_out()

    assert run_worker(tmp_path, "spared") == 0
    assert (database.deliveries(), database.effects()) == ([(1, "dead", 2)], ["dead 1"])
    database.connection.close()
