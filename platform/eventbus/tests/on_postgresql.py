"""Claims by several workers at once. tests/test_postgresql.py runs this file, on PostgreSQL."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar
from uuid import UUID, uuid4

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from contracts import AnswerEvent, ReportEvent
from eventbus import metrics, moments, publish, statements, subscribe
from eventbus.deliveries import drain, sweep
from eventbus.leases import claim, claim_expired
from eventbus.models import Delivery, Replay, ReplayState, Status
from eventbus.replays import Selection, cancel, carry_on, carry_out, place
from eventbus.subscriptions import registry
from eventbus.tests.making import commit, effect, effects, evaluated, let_leases_run_out, saved, statuses

pytestmark = pytest.mark.django_db(transaction=True)
A, B = UUID(int=0xA), UUID(int=0xB)
WORKER = """
import django
django.setup()
from contracts import AnswerEvent
from eventbus import subscribe
from eventbus.deliveries import drain_all
from eventbus.subscriptions import registry
from eventbus.tests.making import effect
registry.clear()

@subscribe(AnswerEvent, name="test.trace")
def trace(event):
    effect(f"{event.key} {event.answer.revision}")

drain_all()
"""


def start_worker() -> subprocess.Popen[bytes]:
    """A process of its own that delivers on this test's database until nothing is due."""
    given = connection.settings_dict
    url = f"postgresql://{given['USER']}@{given['HOST']}:{given['PORT']}/{given['NAME']}"
    environment = os.environ | {
        "TEST_DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "config.settings_for_tests",
        "PYTHONPATH": os.pathsep.join([str(settings.ROOT), str(settings.ROOT / "platform")]),
    }
    return subprocess.Popen([sys.executable, "-c", WORKER], env=environment)


def work_at_once(count: int) -> list[int]:
    """The exit statuses of so many workers; one that does not end is killed."""
    workers = [start_worker() for _ in range(count)]
    try:
        return [worker.wait(60) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()


def test_a_claim_passes_over_what_another_worker_is_claiming() -> None:
    subscribe(AnswerEvent, name="test.trace")(lambda event: None)
    commit(saved(A, 1), saved(B, 2))
    first, second = Delivery.objects.order_by("pk")

    def claimed_meanwhile() -> list[int]:
        try:
            return [lease.delivery.id for lease in claim(registry["test.trace"])]
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other, transaction.atomic():
        Delivery.objects.select_for_update().get(pk=first.pk)
        assert other.submit(claimed_meanwhile).result(10) == [second.pk]


def test_claims_made_at_once_share_no_delivery() -> None:
    subscribe(AnswerEvent, name="test.trace")(lambda event: None)
    commit(*(saved(uuid4(), number) for number in range(1, 151)))
    start = threading.Barrier(4)

    def claim_all() -> list[int]:
        try:
            start.wait()
            mine: list[int] = []
            while leases := claim(registry["test.trace"]):
                mine += [lease.delivery.id for lease in leases]
            return mine
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        claims = [each for found in [workers.submit(claim_all) for _ in range(4)] for each in found.result(30)]
    # What one claim passed over is left for the next look: nothing is claimed twice, nothing is lost.
    assert len(claims) == len(set(claims))
    assert Delivery.objects.filter(status=Status.LEASED).count() == len(claims)
    assert set(Delivery.objects.values_list("attempts", flat=True)) <= {0, 1}


def test_processes_that_drain_at_once_give_one_effect_each_in_the_order_of_their_key() -> None:
    subscribe(AnswerEvent, name="test.trace")(lambda event: None)
    commit(*(saved(key, number) for number in range(1, 31) for key in (A, B)))
    assert work_at_once(3) == [0, 0, 0]
    assert set(statuses()) == {"done"}
    for key in (A, B):
        assert [label for label in effects() if label.startswith(str(key))] == [f"{key} {n}" for n in range(1, 31)]


def test_what_a_dead_worker_held_is_delivered_once_by_those_that_look_at_once() -> None:
    subscribe(AnswerEvent, name="test.trace")(lambda event: None)
    commit(saved(A, 1), saved(B, 2))
    assert len(claim(registry["test.trace"])) == 2
    let_leases_run_out()
    assert work_at_once(2) == [0, 0]
    assert sorted(effects()) == [f"{A} 1", f"{B} 2"]
    assert list(Delivery.objects.values_list("attempts", flat=True)) == [2, 2]


# --- replays -------------------------------------------------------------------------------------------------------
T = TypeVar("T")


def apart(work: Callable[[], T]) -> Callable[[], T]:
    """The work for another thread, whose connection is closed after it. A lock that does not come is an error."""

    def run() -> T:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '20s'")
            return work()
        finally:
            connection.close()

    return run


def wait_until_blocked(count: int, table: str) -> None:
    """Until so many wait for a lock on the table; asked by a connection that sees the present."""
    asked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
    given = connection.settings_dict
    with psycopg.connect(host=given["HOST"], port=given["PORT"], user=given["USER"], dbname=given["NAME"]) as other:
        other.autocommit = True
        for _ in range(3000):
            ((waiting,),) = other.execute(asked, [table]).fetchall()
            if waiting >= count:
                return
            threading.Event().wait(0.01)
    raise AssertionError(f"only {waiting} of {count} came to the lock")


def replayed(count: int) -> Replay:
    """The order of a replay of so many events that were delivered, before any delivery of it is made."""
    subscribe(AnswerEvent, name="test.trace")(lambda event: None)
    commit(*(saved() for _ in range(count)))
    Delivery.objects.undelivered().finish(Status.DONE)
    return place(Selection(subscriber="test.trace"), rate=1000, by="Ada")


def test_of_two_confirmations_at_once_one_orders_and_the_other_is_told(admin_user: User) -> None:
    subscribe(AnswerEvent, name="test.trace")(lambda event: None)
    commit(saved())
    Delivery.objects.undelivered().finish(Status.DONE)
    confirmed = {"subscriber": "test.trace", "rate": "5", "confirm": str(uuid4())}
    clients = [Client(), Client()]
    for client in clients:
        client.force_login(admin_user)

    def confirm(client: Client) -> str:
        # By the page: the context that Django's test client keeps may be that of the other thread.
        page = client.post("/admin/eventbus/replay/add/", confirmed, follow=True).content.decode()
        return " ".join(re.findall(r'<li class="(?:success|warning)">(.*?)</li>', page))

    with ThreadPoolExecutor(2) as browsers:
        # Both have looked for an earlier order, and found none, when they come to store theirs.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE eventbus_replay IN SHARE MODE")
            answers = [browsers.submit(apart(partial(confirm, client))) for client in clients]
            wait_until_blocked(2, "eventbus_replay")
        told = sorted(answer.result(30) for answer in answers)

    order = Replay.objects.get()
    assert told == [
        f"Replay {order.pk} is ordered: 1 delivery. Workers carry it out; here you see how far it is.",
        "This replay was ordered already. To order another one, count again.",
    ]


def test_sweepers_that_go_on_with_a_replay_at_once_make_each_delivery_once() -> None:
    order = replayed(1200)
    start = threading.Barrier(3)

    def sweep_when_all_are_there() -> None:
        start.wait(30)
        carry_on(seconds=60)

    with ThreadPoolExecutor(3) as sweepers:
        for each in [sweepers.submit(apart(sweep_when_all_are_there)) for _ in range(3)]:
            each.result(60)
    order.refresh_from_db()
    assert (order.deliveries, order.finished_at is None) == (1200, False)
    assert Delivery.objects.filter(generation=order.pk).count() == 1200
    assert metrics.snapshot()["replayed"] == 1200


def test_cancelling_passes_over_what_a_worker_is_claiming_just_now() -> None:
    order = replayed(3)
    carry_out(order.pk)
    first = Delivery.objects.filter(generation=order.pk).earliest("pk")
    cancel(order.pk, "Bob")
    with ThreadPoolExecutor(1) as sweeper, transaction.atomic():
        Delivery.objects.select_for_update().get(pk=first.pk)
        sweeper.submit(apart(partial(carry_on, seconds=60))).result(30)
        assert Replay.objects.get().cancelled == 2
        Delivery.objects.filter(pk=first.pk).finish(Status.DONE)
    carry_on(seconds=60)
    found = Replay.objects.with_progress().get()
    assert (found.state, found.handed_on, found.called_off) == (ReplayState.CANCELLED, 1, 2)


def test_a_claim_does_not_wait_for_a_batch_that_is_being_cancelled() -> None:
    order = replayed(3)
    carry_out(order.pk)
    Delivery.objects.undelivered().update(due_at=Now())
    commit(saved())
    live = Delivery.objects.latest("pk")
    with ThreadPoolExecutor(1) as worker, transaction.atomic():
        assert statements.cancel(order.pk, "no more", 500) == ["test.trace"] * 3
        leases = worker.submit(apart(partial(claim, registry["test.trace"]))).result(30)
        assert [lease.delivery.id for lease in leases] == [live.pk]


def test_a_cancelling_waits_for_the_batch_that_is_being_made_which_is_the_last() -> None:
    order = replayed(3)
    with ThreadPoolExecutor(1) as operator:
        with transaction.atomic():
            Replay.objects.select_for_update().get(pk=order.pk)
            cancelled = operator.submit(apart(partial(cancel, order.pk, "Bob")))
            # Others make nothing of it meanwhile.
            with ThreadPoolExecutor(1) as sweeper:
                sweeper.submit(apart(partial(carry_on, seconds=60))).result(30)
            assert not cancelled.done()
        assert cancelled.result(30).cancelled_by == "Bob"
    carry_on(seconds=60)
    assert not Delivery.objects.filter(generation=order.pk).exists()


def test_what_is_known_of_a_replay_is_read_by_the_index_of_replays() -> None:
    subscribe(AnswerEvent, name="test.trace")(lambda event: None)
    with connection.cursor() as cursor:
        cursor.execute(BACKLOG)
        cursor.execute("ANALYZE eventbus_delivery")
    with CaptureQueriesContext(connection) as captured:
        assert statements.cancel(7, "no more", 500) == []
        assert not Delivery.objects.of_replay(7).exists()
        list(Replay.objects.with_progress())
    for query in captured.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN (FORMAT JSON) " + query["sql"])
            ((found,),) = cursor.fetchall()
        (plan,) = found if isinstance(found, list) else json.loads(found)
        read = {index for table, index in reads(plan["Plan"]) if table == "eventbus_delivery"}
        assert read <= {"delivery_replay_idx", "eventbus_delivery_pkey"}, query["sql"]


# --- no more than was asked for -------------------------------------------------------------------------------------
@pytest.fixture
def seemingly_tiny(db: None) -> Callable[[int], None]:
    """Commits so many events to the subscriber test.trace while PostgreSQL takes the table for one of a single row."""

    def store(count: int) -> None:
        subscribe(AnswerEvent, name="test.trace")(lambda event: None)
        commit(saved())
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE eventbus_delivery")
        commit(*(saved() for _ in range(count - 1)))

    return store


def test_a_claim_takes_no_more_than_it_may_however_few_the_database_believes_there_are(
    seemingly_tiny: Callable[[int], None],
) -> None:
    seemingly_tiny(6)
    oldest, *_others, newest = Delivery.objects.order_by("pk").values_list("pk", flat=True)
    assert [row.id for row in statements.claim("test.trace", uuid4(), 60, None, 1)] == [oldest]
    assert [row.id for row in statements.claim("test.trace", uuid4(), 60, newest, 1)] == [newest]
    assert Delivery.objects.filter(status=Status.LEASED).count() == 2


def test_what_may_be_a_killer_is_claimed_alone_however_few_the_database_believes_there_are(
    seemingly_tiny: Callable[[int], None],
) -> None:
    seemingly_tiny(6)
    Delivery.objects.update(status=Status.LEASED, lease_token=uuid4(), leased_until=Now())
    assert len(claim_expired(registry["test.trace"])) == 1


def test_a_batch_of_cancelling_is_no_larger_than_it_may_be_however_few_the_database_believes_there_are(
    seemingly_tiny: Callable[[int], None],
) -> None:
    seemingly_tiny(6)
    Delivery.objects.update(generation=7)
    assert len(statements.cancel(7, "no more", 2)) == 2


# --- a backlog slows nothing down ----------------------------------------------------------------------------------
BACKLOG = """
    INSERT INTO eventbus_event
        (uuid, type, source, key, organisation, payload, correlation_id, supersedable, created_at)
    SELECT gen_random_uuid(), 'AnswerEvent', 'answers', n::text, gen_random_uuid(), '{}',
        gen_random_uuid(), false, now()
    FROM generate_series(1, 3000) n;
    INSERT INTO eventbus_delivery
        (event_id, subscriber, key, generation, status, attempts, due_at, created_at, last_error, note)
    SELECT id, 'test.trace', key, 0, 'ready', 0, now(), now(), '', '' FROM eventbus_event;
"""


def rows_read(plan: dict[str, Any]) -> int:
    """How many rows the parts of an executed plan gave on or passed over. A whole table once: it is a short one."""
    if plan["Node Type"] == "Seq Scan" and plan["Actual Loops"] == 1:
        return 0
    seen = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Join Filter", 0)
    return int(seen * plan["Actual Loops"]) + sum(map(rows_read, plan.get("Plans", [])))


@pytest.mark.parametrize("known", [None, "nothing waits", "everything waits"])
@pytest.mark.parametrize("hint", [False, True])
def test_a_claim_reads_no_more_of_what_waits_than_it_takes_whatever_the_database_believes_about_that(
    hint: bool, known: str | None
) -> None:
    subscribe(AnswerEvent, name="test.trace")(lambda event: None)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM pg_statistic WHERE starelid = 'eventbus_delivery'::regclass")
        if known == "nothing waits":
            cursor.execute(HISTORY)
            cursor.execute("TRUNCATE eventbus_event, eventbus_delivery CASCADE")
        cursor.execute(BACKLOG)
        if known == "everything waits":
            cursor.execute("ANALYZE eventbus_delivery")
    newest = Delivery.objects.latest("pk").pk

    with CaptureQueriesContext(connection) as captured:
        leases = claim(registry["test.trace"], newest if hint else None)
        assert statements.with_due_deliveries(["test.trace"]) == ["test.trace"]
    assert len(leases) == 51
    assert (newest in [lease.delivery.id for lease in leases]) is hint

    Delivery.objects.update(status="ready", lease_token=None, leased_until=None)
    with connection.cursor() as cursor:
        for query in captured.captured_queries:
            cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + query["sql"])
            ((found,),) = cursor.fetchall()
            (plan,) = found if isinstance(found, list) else json.loads(found)
            assert rows_read(plan["Plan"]) < 1000, query["sql"]


# --- history slows nothing down ------------------------------------------------------------------------------------
HISTORY = """
    INSERT INTO eventbus_event
        (uuid, type, source, key, organisation, payload, correlation_id, supersedable, created_at)
    SELECT gen_random_uuid(), 'AnswerEvent', 'answers', n::text, gen_random_uuid(), '{}',
        gen_random_uuid(), false, now()
    FROM generate_series(1, 50000) n;
    INSERT INTO eventbus_delivery
        (event_id, subscriber, key, generation, status, attempts, due_at, created_at, finished_at, last_error, note)
    SELECT id, subscriber, key, 0, 'done', 1, now(), now(), now(), '', ''
    FROM eventbus_event, (VALUES ('test.evaluate'), ('test.store')) names (subscriber);
    ANALYZE eventbus_event, eventbus_delivery, eventbus_moment, eventbus_subscriptionstate;
"""
FOR_WHAT_WAITS = {"delivery_due_idx", "delivery_line_idx", "delivery_lease_idx", "delivery_dead_idx"}
BY_KEY = {"eventbus_delivery_pkey", "eventbus_event_pkey", "eventbus_event_uuid_key", "delivery_once"}


def reads(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """How each table of a plan is read: by which index, or as a whole."""
    if "Relation Name" in plan and plan["Node Type"] != "ModifyTable":
        # A bitmap scan names its index in the node below.
        index = plan.get("Index Name") or plan.get("Plans", [{}])[0].get("Index Name", plan["Node Type"])
        yield plan["Relation Name"], index
    for part in plan.get("Plans", []):
        yield from reads(part)


def test_every_statement_of_the_hot_path_reads_by_an_index_of_what_waits_or_by_key_however_long_the_history() -> None:
    subscribe(AnswerEvent, name="test.evaluate")(lambda event: publish(evaluated(event)))
    subscribe(ReportEvent, name="test.store", source="security")(lambda event: None)
    with connection.cursor() as cursor:
        cursor.execute(HISTORY)
    with CaptureQueriesContext(connection) as captured:
        event = saved()
        commit(event)
        drain("test.evaluate")
        moments.note("test.pushed", event.id)
        moments.write()
        sweep()
        metrics.health()
    read = set[tuple[str, str]]()
    with connection.cursor() as cursor:
        for query in captured.captured_queries:
            if query["sql"].split()[0] in ("SELECT", "UPDATE", "WITH"):
                cursor.execute("EXPLAIN (FORMAT JSON) " + query["sql"])
                ((found,),) = cursor.fetchall()
                (plan,) = found if isinstance(found, list) else json.loads(found)
                read |= set(reads(plan["Plan"]))
    assert {table for table, _index in read} == {"eventbus_delivery", "eventbus_event", "eventbus_subscriptionstate"}
    assert {index for table, index in read if table == "eventbus_delivery"} <= FOR_WHAT_WAITS | BY_KEY
    assert {index for table, index in read if table == "eventbus_event"} <= BY_KEY


def test_sweeps_at_once_bury_an_event_that_killed_its_workers_once_and_tell_once() -> None:
    subscribe(AnswerEvent, name="test.trace", on_dead=lambda event: effect(f"dead {event.answer.revision}"))(
        lambda event: None
    )
    commit(*(saved(uuid4(), number) for number in range(1, 21)))
    assert len(claim(registry["test.trace"])) == 20
    Delivery.objects.update(attempts=15)
    let_leases_run_out()
    start = threading.Barrier(4)

    def look() -> None:
        try:
            start.wait()
            sweep()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        for look_of_one in [workers.submit(look) for _ in range(4)]:
            look_of_one.result(60)
    sweep()
    assert set(statuses()) == {Status.DEAD}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {15}
    assert sorted(effects()) == sorted(f"dead {number}" for number in range(1, 21))
