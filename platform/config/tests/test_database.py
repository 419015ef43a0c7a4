"""The embedded mode's database: writers take turns, transactions begin with their first statement."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from config.embedded.database.base import DatabaseWrapper
from config.embedded.database.line import Line, stay_in_the_background, writers_of

pytestmark = [pytest.mark.thorough, pytest.mark.django_db(transaction=True), pytest.mark.sqlite]
PATIENCE = 20.0


def line() -> Line:
    """Of the database at hand."""
    return writers_of(connection.settings_dict["NAME"]).line


def write(name: str) -> None:
    """One statement."""
    Group.objects.create(name=name)


def stored() -> list[str]:
    """The names in the order in which they were written."""
    return list(Group.objects.order_by("pk").values_list("name", flat=True))


class Thread:
    """Does something with a connection of its own."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:
            self.error = error
        finally:
            connection.close()

    def end(self) -> Exception | None:
        """Wait for it; gives what it raised."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self.error


def wait_for(length: int, where: Line | None = None) -> None:
    """Until so many are in the line, the one who writes among them."""
    while len(line() if where is None else where) < length:
        threading.Event().wait(0.001)


def stay_until(begun: threading.Event, done: threading.Event) -> None:
    """Write and keep the turn."""
    with transaction.atomic():
        write("first")
        begun.set()
        assert done.wait(PATIENCE)


@contextmanager
def somebody_writing() -> Iterator[None]:
    """Another thread has the turn until the block ends."""
    begun, done = threading.Event(), threading.Event()
    writer = Thread(partial(stay_until, begun, done))
    assert begun.wait(PATIENCE)
    try:
        yield
    finally:
        done.set()
        assert writer.end() is None


@pytest.fixture
def _impatient() -> Iterator[None]:
    """Connections made from here on wait for nothing but a moment."""
    options = connection.settings_dict["OPTIONS"]
    before = options["timeout"]
    options["timeout"] = 0.05
    connection.close()
    yield
    options["timeout"] = before
    connection.close()


# --- the line -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("in_a_transaction", [True, False])
def test_writers_write_in_the_order_in_which_they_asked(in_a_transaction: bool) -> None:
    def ask(name: str) -> None:
        with transaction.atomic() if in_a_transaction else nullcontext():
            write(name)

    names = [f"writer {number:02}" for number in range(12)]
    with somebody_writing():
        threads = []
        for number, name in enumerate(names, start=2):
            threads.append(Thread(partial(ask, name)))
            wait_for(number)
    assert [thread.end() for thread in threads] == [None] * len(names)
    assert stored() == ["first", *names]
    assert len(line()) == 0


def test_deliveries_share_one_place_among_the_people_who_save() -> None:
    def deliver(name: str) -> None:
        stay_in_the_background()
        write(name)

    background = writers_of(connection.settings_dict["NAME"]).background
    with somebody_writing():
        threads = [Thread(partial(deliver, "delivery 1"))]
        wait_for(2)
        for number in (2, 3):
            threads.append(Thread(partial(deliver, f"delivery {number}")))
            wait_for(number, background)
        for number in (1, 2):
            threads.append(Thread(partial(write, f"save {number}")))
            wait_for(2 + number)
    assert [thread.end() for thread in threads] == [None] * 5
    assert stored()[:4] == ["first", "delivery 1", "save 1", "save 2"]
    assert stored()[4:] == ["delivery 2", "delivery 3"]
    assert len(background) == len(line()) == 0


def test_who_reads_waits_for_nobody() -> None:
    write("before")
    with somebody_writing():
        assert stored() == ["before"]


def test_a_reader_that_hangs_holds_up_no_writer() -> None:
    write("before")
    begun, done = threading.Event(), threading.Event()

    def read() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM auth_group UNION ALL SELECT 'x'")
            cursor.fetchone()
            begun.set()
            assert done.wait(PATIENCE)

    reader = Thread(read)
    assert begun.wait(PATIENCE)
    write("after")
    with transaction.atomic():
        write("later")
    done.set()
    assert reader.end() is None
    assert stored() == ["before", "after", "later"]


@pytest.mark.parametrize("in_a_transaction", [True, False])
def test_a_writer_that_raises_lets_go(in_a_transaction: bool) -> None:
    write("taken")

    def fail() -> None:
        if in_a_transaction:
            with transaction.atomic():
                write("rolled back")
                raise LookupError
        write("taken")

    assert isinstance(Thread(fail).end(), LookupError if in_a_transaction else IntegrityError)
    assert len(line()) == 0
    write("next")
    assert stored() == ["taken", "next"]


@pytest.mark.usefixtures("_impatient")
def test_who_waits_too_long_gets_the_error_of_a_busy_database_and_leaves_the_line() -> None:
    with somebody_writing():
        with pytest.raises(OperationalError, match="database is locked"):
            write("second")
        with pytest.raises(OperationalError, match="database is locked"), transaction.atomic():
            write("third")
        assert len(line()) == 1
    write("fourth")
    assert stored() == ["first", "fourth"]


@pytest.mark.usefixtures("_impatient")
def test_after_a_begin_that_failed_nothing_of_the_block_is_stored() -> None:
    with transaction.atomic():
        with somebody_writing(), pytest.raises(OperationalError, match="database is locked"):
            connection.cursor().execute("SELECT 1")
        write("in the transaction all the same")
        transaction.set_rollback(True)
    assert stored() == ["first"]


def test_a_thread_that_dies_in_a_transaction_leaves_the_line() -> None:
    def die() -> None:
        # As a thread that a library ends: nobody closes its connection.
        lost = DatabaseWrapper(connection.settings_dict, "default")
        lost.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        lost.cursor().execute("DELETE FROM auth_group")

    write("kept")
    assert Thread(die).end() is None
    gc.collect()
    assert len(line()) == 0
    write("next")
    assert stored() == ["kept", "next"]


def test_a_connection_that_is_closed_in_a_transaction_leaves_the_line() -> None:
    def close() -> None:
        with transaction.atomic():
            write("lost")
            connection.close()

    Thread(close).end()
    assert len(line()) == 0
    write("next")
    assert stored() == ["next"]


def test_a_task_that_is_cancelled_while_its_thread_waits_leaves_the_line_in_order() -> None:
    def save() -> None:
        try:
            write("cancelled, and stored by its thread")
        finally:
            connection.close()

    async def cancel() -> None:
        task = asyncio.create_task(asyncio.to_thread(save))
        await asyncio.to_thread(wait_for, 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        done.set()

    begun, done = threading.Event(), threading.Event()
    writer = Thread(partial(stay_until, begun, done))
    assert begun.wait(PATIENCE)
    asyncio.run(cancel())  # ends when its threads do
    assert writer.end() is None
    assert len(line()) == 0
    assert stored() == ["first", "cancelled, and stored by its thread"]


def test_rows_that_a_writing_statement_gives_back_are_read_before_the_next_one_writes() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO auth_group (name) VALUES ('a') RETURNING name")
        assert len(line()) == 1
        assert cursor.fetchall() == [("a",)]
        assert len(line()) == 0
        cursor.execute("DELETE FROM auth_group RETURNING id")
        assert len(line()) == 1
    assert len(line()) == 0


def test_a_block_within_a_block_is_the_same_turn() -> None:
    with transaction.atomic():
        write("outer")
        with pytest.raises(IntegrityError), transaction.atomic():
            write("outer")
        assert len(line()) == 1
        with transaction.atomic():
            write("second inner")
    assert len(line()) == 0
    assert stored() == ["outer", "second inner"]


def test_hooks_run_when_the_next_one_may_write() -> None:
    lengths: list[int] = []
    with transaction.atomic():
        write("one")
        transaction.on_commit(lambda: lengths.append(len(line())))
    assert lengths == [0]


def test_another_processs_write_is_waited_for() -> None:
    holding = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("begun", flush=True)
sys.stdin.readline()
database.execute("COMMIT")
"""
    other = subprocess.Popen(
        [sys.executable, "-c", holding, str(connection.settings_dict["NAME"])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "begun\n"
    writer = Thread(lambda: write("after the other"))
    wait_for(1)
    assert stored() == []
    other.communicate("\n", timeout=PATIENCE)
    assert writer.end() is None
    assert stored() == ["after the other"]


# --- the beginning of a transaction ---------------------------------------------------------------------------------
def test_what_comes_before_the_first_statement_holds_up_nobody() -> None:
    with transaction.atomic():
        assert len(line()) == 0
        assert Thread(lambda: write("meanwhile")).end() is None
        assert stored() == ["meanwhile"]
        assert len(line()) == 1


def test_a_block_begins_once_and_one_without_a_statement_not_at_all() -> None:
    with CaptureQueriesContext(connection) as queries:
        with transaction.atomic():
            pass
        with transaction.atomic():
            stored()
            stored()
    statements = [query["sql"].split()[0] for query in queries]
    assert statements.count("BEGIN") == 1
    assert [each for each in statements if each != "COMMIT"] == ["BEGIN", "SELECT", "SELECT"]


def test_what_is_read_first_in_a_block_is_true_until_its_end() -> None:
    with transaction.atomic():
        assert stored() == []
        writer = Thread(lambda: write("later"))
        wait_for(2)
        assert stored() == []
        write("mine")
    assert writer.end() is None
    assert stored() == ["mine", "later"]


def test_a_backup_reads_without_a_turn() -> None:
    from operations.archive.backup import snapshot

    with somebody_writing(), snapshot():
        assert stored() == []


def test_the_settings_keep_what_was_acknowledged_through_a_power_cut() -> None:
    ask = "from django.conf import settings; print(settings.DATABASES['default']['OPTIONS']['init_command'])"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": "", "REDIS_URL": ""}
    said = subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=True)
    assert "PRAGMA synchronous=FULL" in said.stdout
