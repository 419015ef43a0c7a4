"""The statements of the hot path, written out.

Having Django build them anew for each delivery took ten times as long as running them. Each reads partial indexes only,
so none grows with what was delivered before. Kept to what SQLite 3.35 and PostgreSQL both know.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from contracts import Event

_NOW = {
    "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')",
    "postgresql": "STATEMENT_TIMESTAMP()",
}
_LEASE_END = {
    "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', %s)",
    "postgresql": "STATEMENT_TIMESTAMP() + %s::interval",
}
# SQLite has one writer at a time; elsewhere workers pass over rows that another one is claiming.
_LOCK = {"sqlite": "", "postgresql": "FOR UPDATE SKIP LOCKED"}

_STORE_EVENT = """
    INSERT INTO eventbus_event (
        uuid, type, source, key, organisation, payload, correlation_id, causation_id, supersedable, created_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, <now>)
    RETURNING id
"""
_STORE_DELIVERIES = """
    INSERT INTO eventbus_delivery (
        event_id, key, subscriber, generation, status, attempts, last_error, due_at, created_at)
    VALUES <rows>
    RETURNING subscriber, id
"""
_DELIVERY = "(%s, %s, %s, 0, 'ready', 0, '', <now>, <now>)"
_DUE = """
    d.finished_at IS NULL AND d.status = 'ready' AND d.due_at <= <now>
    AND NOT EXISTS (
        SELECT 1 FROM eventbus_delivery older
        WHERE older.finished_at IS NULL AND older.key = d.key AND older.subscriber = d.subscriber
          AND older.event_id < d.event_id AND older.generation <= d.generation)
    AND <running>
"""
# Decided in the claim itself, so that nothing of a paused subscriber is ever claimed; one look-up by primary key.
_RUNNING = """NOT EXISTS (
        SELECT 1 FROM eventbus_subscriptionstate state
        WHERE state.subscriber = d.subscriber AND state.paused_at IS NOT NULL)
"""
_LEASE = """
    UPDATE eventbus_delivery
    SET status = 'leased', lease_token = %s, leased_until = <lease end>, claimed_at = <now>, attempts = attempts + 1
    WHERE id IN (<candidates> <lock>)
"""
_CLAIM = _LEASE.replace(
    "<candidates>",
    """
    SELECT d.id FROM eventbus_delivery d
    WHERE d.subscriber = %s AND <due>
    ORDER BY d.due_at, d.id LIMIT %s
    """,
)
_CLAIM_HINTED = _CLAIM.replace("ORDER BY", "ORDER BY CASE WHEN d.id = %s THEN 0 ELSE 1 END,")
_CLAIM_EXPIRED = _LEASE.replace(
    "<candidates>",
    """
    SELECT d.id FROM eventbus_delivery d
    WHERE d.subscriber = %s AND d.lease_token IS NOT NULL AND d.leased_until <= <now> AND d.attempts < %s
      AND <running>
    ORDER BY d.leased_until, d.id LIMIT 1
    """,
)
_CLAIMED = """
    SELECT d.id, d.event_id, d.key, d.attempts, e.payload, e.supersedable, (
        SELECT MAX(newer.event_id) FROM eventbus_delivery newer
        WHERE newer.finished_at IS NULL AND newer.key = d.key AND newer.subscriber = d.subscriber
          AND newer.event_id > d.event_id AND newer.status = 'ready')
    FROM eventbus_delivery d JOIN eventbus_event e ON e.id = d.event_id
    WHERE d.lease_token = %s
    ORDER BY d.event_id
"""
_DONE = """
    UPDATE eventbus_delivery
    SET status = 'done', finished_at = <now>, lease_token = NULL, leased_until = NULL, last_error = ''
    WHERE id IN (<ids>) AND lease_token = %s
"""
_WITH_DUE = "SELECT DISTINCT d.subscriber FROM eventbus_delivery d WHERE d.subscriber IN (<names>) AND <due>"


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


def store_event(event: Event) -> int:
    """Insert the event, whose correlation id is filled in; gives its position. A broken contract is refused before."""
    payload = json.dumps(event.to_cloudevent())
    assert event.correlation_id is not None
    uuids = [_stored(each) for each in (event.id, event.organisation_id, event.correlation_id)]
    cause = None if event.causation_id is None else _stored(event.causation_id)
    ((position,),) = _fetch(
        _STORE_EVENT,
        (uuids[0], event.TYPE, event.source, event.key, uuids[1], payload, uuids[2], cause, event.supersedable),
    )
    return int(position)


def store_deliveries(position: int, key: str, subscribers: Sequence[str]) -> list[tuple[str, int]]:
    """Insert a delivery that is due for each subscriber (one at least); gives each subscriber's name and its id."""
    rows = ", ".join([_DELIVERY] * len(subscribers))
    arguments = [argument for subscriber in subscribers for argument in (position, key, subscriber)]
    stored = _fetch(_STORE_DELIVERIES.replace("<rows>", rows), arguments)
    return [(subscriber, delivery) for subscriber, delivery in stored]


def claim(subscriber: str, token: UUID, seconds: float, hint: int | None, limit: int) -> int:
    """Lease what is due, the hinted delivery first, then the oldest; gives how many."""
    hinted = () if hint is None else (hint,)
    statement = _CLAIM if hint is None else _CLAIM_HINTED
    return _execute(statement, (_stored(token), f"+{seconds:.3f} seconds", subscriber, *hinted, limit))


def claim_expired(subscriber: str, token: UUID, seconds: float, max_attempts: int) -> int:
    """Lease one delivery whose lease ran out and that has an attempt left; gives how many: one or none."""
    return _execute(_CLAIM_EXPIRED, (_stored(token), f"+{seconds:.3f} seconds", subscriber, max_attempts))


def claimed(token: UUID) -> list[ClaimedRow]:
    """What was leased with this token, in the order of the events."""
    return [
        ClaimedRow(pk, position, key, attempts, json.loads(payload), bool(supersedable), newest)
        for pk, position, key, attempts, payload, supersedable, newest in _fetch(_CLAIMED, (_stored(token),))
    ]


def done(deliveries: Sequence[int], token: UUID) -> bool:
    """Mark them done; False where the lease of one at least is somebody else's by now."""
    statement = _DONE.replace("<ids>", ", ".join(["%s"] * len(deliveries)))
    return _execute(statement, (*deliveries, _stored(token))) == len(deliveries)


def with_due_deliveries(names: list[str]) -> list[str]:
    """Those of the subscribers that have something to do now."""
    if not names:
        return []
    statement = _WITH_DUE.replace("<names>", ", ".join(["%s"] * len(names)))
    return [name for (name,) in _fetch(statement, names)]


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
    statement = statement.replace("<due>", _DUE).replace("<running>", _RUNNING).replace("<lock>", _LOCK[vendor])
    return statement.replace("<now>", _NOW[vendor]).replace("<lease end>", _LEASE_END[vendor])


def _stored(token: UUID) -> UUID | str:
    """The token as the database at hand keeps UUIDs."""
    return token if connection.features.has_native_uuid_field else token.hex
