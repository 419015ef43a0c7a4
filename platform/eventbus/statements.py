"""The statements of the hot path, written out.

Having Django build them anew for each delivery took ten times as long as running them. Each reads partial indexes only,
so none grows with what was delivered before. PostgreSQL chooses among indexes by statistics, which are wrong when
thousands came at once; so the index of what is due and that of a key's line hold by different conditions, and each
statement names the one whose index it is to read. Kept to what SQLite 3.35 and PostgreSQL both know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from pydantic_core import from_json, to_json

from contracts import Event

_NOW = {
    "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')",
    "postgresql": "STATEMENT_TIMESTAMP()",
}
_FROM_NOW = {
    "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', %s)",
    "postgresql": "STATEMENT_TIMESTAMP() + %s::interval",
}
_UUID = {"sqlite": "%s", "postgresql": "CAST(%s AS uuid)"}
# SQLite has one writer at a time; elsewhere workers pass over rows that another one is claiming.
_LOCK = {"sqlite": "", "postgresql": "FOR UPDATE SKIP LOCKED"}
# With the plus SQLite reads the index of what waits; without it, that of all events, from this one on.
_NEWER_POSITION = {"sqlite": "+newer.event_id", "postgresql": "newer.event_id"}

_STORE_EVENT = """
    INSERT INTO eventbus_event (
        uuid, type, source, key, organisation, payload, correlation_id, causation_id, supersedable, created_at,
        requested_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, <now>, <from now>)
    RETURNING id
"""
_STORE_DELIVERIES = """
    INSERT INTO eventbus_delivery (
        event_id, key, subscriber, generation, status, attempts, last_error, due_at, created_at)
    VALUES <rows>
    RETURNING subscriber, id
"""
_DELIVERY = "(%s, %s, %s, 0, 'ready', 0, '', <now>, <now>)"
# What claiming it right after the commit would come to, without the claim's statements and its commit.
_STORE_LEASED = """
    INSERT INTO eventbus_delivery (
        event_id, key, subscriber, generation, last_error, due_at, created_at,
        status, attempts, lease_token, leased_until, claimed_at)
    SELECT d.event_id, d.key, d.subscriber, 0, '', <now>, <now>,
        CASE WHEN d.free THEN 'leased' ELSE 'ready' END, CASE WHEN d.free THEN 1 ELSE 0 END,
        CASE WHEN d.free THEN <uuid> END, CASE WHEN d.free THEN <from now> END, CASE WHEN d.free THEN <now> END
    FROM (
        SELECT d.event_id, d.key, d.subscriber, <first> AND <running> AS free
        FROM (SELECT CAST(%s AS bigint) AS event_id, CAST(%s AS text) AS key, CAST(%s AS text) AS subscriber,
            0 AS generation) d) d
    RETURNING id, status
"""
_DUE = """
    d.status = 'ready' AND d.due_at <= <now> AND <first> AND <running>
"""
# With "OFFSET 0" PostgreSQL looks at one row after the other, and stops when it has enough. Without it, it compares all
# that are due with all that wait, anew for each claim: with a thousand waiting that takes longer than handling them.
_FIRST = """NOT EXISTS (
        SELECT 1 FROM eventbus_delivery older
        WHERE older.finished_at IS NULL AND older.key = d.key AND older.subscriber = d.subscriber
          AND older.event_id < d.event_id AND older.generation <= d.generation
        LIMIT 1 OFFSET 0)
"""
# Decided in the claim itself, so that nothing of a paused subscriber is ever claimed; one look-up by primary key.
_RUNNING = """NOT EXISTS (
        SELECT 1 FROM eventbus_subscriptionstate state
        WHERE state.subscriber = d.subscriber AND state.paused_at IS NOT NULL
        LIMIT 1 OFFSET 0)
"""
# Chosen once and for all, and only then changed. In an IN (...) of the UPDATE, PostgreSQL may choose anew for each row
# that it looks at, passing over what it has changed itself: of a table that it takes for tiny it then leased them all.
_LEASE = """
    WITH chosen AS MATERIALIZED (<candidates>)
    UPDATE eventbus_delivery
    SET status = 'leased', lease_token = %s, leased_until = <from now>, claimed_at = <now>, attempts = attempts + 1
    WHERE id IN (SELECT id FROM chosen)
    RETURNING id, event_id, key, attempts,
        (SELECT e.payload FROM eventbus_event e WHERE e.id = event_id),
        (SELECT e.supersedable FROM eventbus_event e WHERE e.id = event_id), <newest>
"""
_NEWEST = """(
        SELECT MAX(<newer position>) FROM eventbus_delivery newer
        WHERE newer.finished_at IS NULL AND newer.key = eventbus_delivery.key
          AND newer.subscriber = eventbus_delivery.subscriber AND <newer position> > eventbus_delivery.event_id
          AND newer.status <> 'leased')
"""
_SUPERSEDED_BY = "SELECT id, <newest> FROM eventbus_delivery WHERE id IN (<ids>)"
_OLDEST_DUE = """
    SELECT d.id FROM eventbus_delivery d
    WHERE d.subscriber = %s AND <due>
    ORDER BY d.due_at, d.id LIMIT %s <lock>
"""
_HINTED = """
    SELECT d.id FROM eventbus_delivery d WHERE d.id = %s AND d.subscriber = %s AND <due> <lock>
"""
_HINTED_AND_OLDEST = "SELECT id FROM (<hinted>) hinted UNION SELECT id FROM (<oldest>) oldest"
_CLAIM = _LEASE.replace("<candidates>", _OLDEST_DUE)
_CLAIM_HINTED = _LEASE.replace(
    "<candidates>", _HINTED_AND_OLDEST.replace("<hinted>", _HINTED).replace("<oldest>", _OLDEST_DUE)
)
_CLAIM_EXPIRED = _LEASE.replace(
    "<candidates>",
    """
    SELECT d.id FROM eventbus_delivery d
    WHERE d.subscriber = %s AND d.lease_token IS NOT NULL AND d.leased_until <= <now>
      AND d.attempts >= %s AND d.attempts < %s
      AND <running>
    ORDER BY d.leased_until, d.id LIMIT 1 <lock>
    """,
)
_DONE = """
    UPDATE eventbus_delivery
    SET status = 'done', finished_at = <now>, lease_token = NULL, leased_until = NULL, last_error = ''
    WHERE id IN (<ids>) AND lease_token = %s
"""
# What waits, and what was left behind by a worker that died: its lease ran out. What is being claimed is passed over.
_CANCEL = """
    WITH chosen AS MATERIALIZED (
        SELECT d.id FROM eventbus_delivery d
        WHERE d.generation = %s AND d.finished_at IS NULL AND d.generation > 0
          AND (d.status = 'ready' OR d.leased_until <= <now>)
        ORDER BY d.id LIMIT %s <lock>)
    UPDATE eventbus_delivery
    SET status = 'skipped', finished_at = <now>, lease_token = NULL, leased_until = NULL, last_error = %s
    WHERE id IN (SELECT id FROM chosen)
    RETURNING subscriber
"""
_WITH_DUE = """
    SELECT named.subscriber FROM (<names>) named WHERE EXISTS (
        SELECT 1 FROM eventbus_delivery d
        WHERE d.subscriber = named.subscriber AND <due> AND d.due_at <= <from now>
        LIMIT 1 OFFSET 0)
"""
_STORE_MOMENT = """
    INSERT INTO eventbus_moment (event_id, what, at) SELECT id, %s, <from now> FROM eventbus_event WHERE uuid = %s
"""


class ClaimedRow(NamedTuple):
    """What a worker needs to know about a delivery that it has claimed."""

    id: int
    position: int
    """Id of the event's row."""
    key: str
    attempts: int
    payload: dict[str, Any]
    """The CloudEvents document; empty: it was erased."""
    supersedable: bool
    superseded_by: int | None
    """Position of the newest event that waits in the same line, where there is one."""


class StoredEvent(NamedTuple):
    """What became of an event."""

    position: int
    """Id of its row."""
    payload: str
    """Its JSON form."""


class LeasedOrReady(NamedTuple):
    """A delivery that `store_leased` has stored."""

    id: int
    row: ClaimedRow | None
    """What was claimed; None: it waits."""


def store_event(event: Event, since_request: float | None) -> StoredEvent:
    """Insert the event, whose correlation id is filled in. A broken contract is refused before.

    `since_request`: seconds since the request arrived, so that the database's clock tells when that was.
    """
    payload = to_json(event.to_cloudevent()).decode()
    assert event.correlation_id is not None
    uuids = [_stored(each) for each in (event.id, event.organisation_id, event.correlation_id)]
    cause = None if event.causation_id is None else _stored(event.causation_id)
    arrived = None if since_request is None else _ago(since_request)
    origin = (uuids[2], cause, event.supersedable, arrived)
    ((position,),) = _fetch(
        _STORE_EVENT,
        (uuids[0], event.TYPE, event.source, event.key, uuids[1], payload, *origin),
    )
    return StoredEvent(int(position), payload)


def store_deliveries(position: int, key: str, subscribers: Sequence[str]) -> list[tuple[str, int]]:
    """Insert a delivery that is due for each subscriber (one at least); gives each subscriber's name and its id."""
    rows = ", ".join([_DELIVERY] * len(subscribers))
    arguments = [argument for subscriber in subscribers for argument in (position, key, subscriber)]
    stored = _fetch(_STORE_DELIVERIES.replace("<rows>", rows), arguments)
    return [(subscriber, delivery) for subscriber, delivery in stored]


def store_leased(event: Event, stored: StoredEvent, subscriber: str, token: UUID, seconds: float) -> LeasedOrReady:
    """Insert a delivery that this worker has claimed already; where it has to wait, one that is ready like any other.

    It has to wait where an older delivery of its line does, and while its subscriber is paused.
    """
    leased_until = f"+{seconds:.3f} seconds"
    arguments = (_stored(token), leased_until, stored.position, event.key, subscriber)
    ((pk, status),) = _fetch(_STORE_LEASED, arguments)
    if status != "leased":
        return LeasedOrReady(pk, None)
    payload = from_json(stored.payload)
    return LeasedOrReady(pk, ClaimedRow(pk, stored.position, event.key, 1, payload, event.supersedable, None))


def claim(subscriber: str, token: UUID, seconds: float, hint: int | None, limit: int) -> list[ClaimedRow]:
    """Lease the hinted delivery if it is due, and the oldest that are.

    Gives them in the order of their events, those of events that nothing supersedes before the others: somebody waits
    for their result, while what can be superseded may be by the time it has its turn.
    """
    lease = (_stored(token), f"+{seconds:.3f} seconds")
    if hint is None:
        return _claimed(_CLAIM, (subscriber, limit, *lease))
    return _claimed(_CLAIM_HINTED, (hint, subscriber, subscriber, limit - 1, *lease))


def claim_expired(subscriber: str, token: UUID, seconds: float, attempts: range) -> list[ClaimedRow]:
    """Lease one delivery whose lease ran out after so many attempts; where there is none, an empty list."""
    lease = (_stored(token), f"+{seconds:.3f} seconds")
    return _claimed(_CLAIM_EXPIRED, (subscriber, attempts.start, attempts.stop, *lease))


def _claimed(statement: str, arguments: Sequence[str | int | UUID]) -> list[ClaimedRow]:
    rows = [
        ClaimedRow(pk, position, key, attempts, from_json(payload), bool(supersedable), newest)
        for pk, position, key, attempts, payload, supersedable, newest in _fetch(statement, arguments)
    ]
    return sorted(rows, key=attrgetter("supersedable", "position"))


def superseded_by(deliveries: Sequence[int]) -> dict[int, int | None]:
    """The position of the newest event that waits behind each of these deliveries now, where there is one."""
    return dict(_fetch(_SUPERSEDED_BY.replace("<ids>", ", ".join(["%s"] * len(deliveries))), deliveries))


def done(deliveries: Sequence[int], token: UUID) -> bool:
    """Mark them done; False where the lease of one at least is somebody else's by now."""
    statement = _DONE.replace("<ids>", ", ".join(["%s"] * len(deliveries)))
    return _execute(statement, (*deliveries, _stored(token))) == len(deliveries)


def cancel(generation: int, reason: str, limit: int) -> list[str]:
    """Skip that many deliveries of a replay that nobody has at work; gives the subscriber of each."""
    return [subscriber for (subscriber,) in _fetch(_CANCEL, (generation, limit, reason))]


def store_moments(moments: Iterable[tuple[str, float, UUID]]) -> None:
    """Insert for each what happened, how many seconds ago, and to which event; one without a row is passed over.

    They are taken one by one while they are inserted, so that "ago" stays true through a long row of them.
    """
    arguments = ((what, _ago(seconds), _stored(event)) for what, seconds, event in moments)
    with connection.cursor() as cursor:
        cursor.executemany(_for_vendor(_STORE_MOMENT, connection.vendor), arguments)  # type: ignore[arg-type]  # any iterable


def with_due_deliveries(names: list[str], seconds: float = 0.0) -> list[str]:
    """Those of the subscribers that have something to do now, and had it that many seconds ago."""
    if not names:
        return []
    statement = _WITH_DUE.replace("<names>", " UNION ".join(["SELECT CAST(%s AS text) AS subscriber"] * len(names)))
    return [name for (name,) in _fetch(statement, (*names, _ago(seconds)))]


def _fetch(statement: str, arguments: Sequence[str | int | UUID | None]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_for_vendor(statement, connection.vendor), arguments)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _execute(statement: str, arguments: Sequence[str | int | UUID | None]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_for_vendor(statement, connection.vendor), arguments)
        return int(cursor.rowcount)


@cache
def _for_vendor(statement: str, vendor: str) -> str:
    statement = statement.replace("<due>", _DUE).replace("<first>", _FIRST).replace("<running>", _RUNNING)
    statement = statement.replace("<newest>", _NEWEST)
    statement = statement.replace("<newer position>", _NEWER_POSITION[vendor])
    statement = statement.replace("<lock>", _LOCK[vendor]).replace("<uuid>", _UUID[vendor])
    return statement.replace("<now>", _NOW[vendor]).replace("<from now>", _FROM_NOW[vendor])


def _ago(seconds: float) -> str:
    return f"-{seconds:.6f} seconds"


def _stored(token: UUID) -> UUID | str:
    """The token as the database at hand keeps UUIDs."""
    return token if connection.features.has_native_uuid_field else token.hex
