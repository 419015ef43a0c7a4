"""Filling the outbox with what was delivered long ago, and with what is due now."""

from __future__ import annotations

import psycopg

_STORE_OLD = """
    WITH flow AS (
        SELECT md5((number / 20)::text || %(seed)s)::uuid::text AS key, gen_random_uuid() AS correlation,
            statement_timestamp() - random() * interval '25 days' AS at
        FROM generate_series(1, %(flows)s) number
    ), stored AS (
        INSERT INTO eventbus_event (uuid, type, source, key, organisation, payload, correlation_id, supersedable,
            created_at)
        SELECT gen_random_uuid(), type, source, flow.key, organisation, payload, correlation, supersedable, at
        FROM flow CROSS JOIN bench_template
        RETURNING id, key, type, source, created_at
    )
    INSERT INTO eventbus_delivery (event_id, key, subscriber, generation, status, attempts, last_error, due_at,
        created_at, claimed_at, finished_at)
    SELECT id, key, CASE type WHEN 'AnswerEvent' THEN 'security.evaluate' ELSE 'reports.store' END, 0, 'done', 1, '',
        created_at, created_at, created_at, created_at
    FROM stored WHERE source <> 'reports'
"""
_TEMPLATE = """
    CREATE TABLE bench_template AS
    SELECT DISTINCT ON (type, source) type, source, organisation, payload, supersedable
    FROM eventbus_event WHERE type <> 'BenchCounted' ORDER BY type, source, id DESC
"""
_STORE_DUE = """
    WITH fact AS (
        SELECT gen_random_uuid() AS uuid, gen_random_uuid() AS thing, number FROM generate_series(1, %(count)s) number
    ), stored AS (
        INSERT INTO eventbus_event (uuid, type, source, key, organisation, payload, correlation_id, supersedable,
            created_at)
        SELECT uuid, 'BenchCounted', 'bench', thing::text, thing, jsonb_build_object(
            'specversion', '1.0', 'id', uuid, 'source', '/bench', 'type', 'BenchCounted', 'subject', thing,
            'time', '2026-01-01T00:00:00Z', 'dataschema', '/schemas/BenchCounted.v1.json',
            'datacontenttype', 'application/json', 'correlationid', uuid,
            'data', jsonb_build_object('number', number, 'thing', thing)), uuid, false, statement_timestamp()
        FROM fact
        RETURNING id, key
    )
    INSERT INTO eventbus_delivery (event_id, key, subscriber, generation, status, attempts, last_error, due_at,
        created_at)
    SELECT id, key, %(subscriber)s, 0, 'ready', 0, '', statement_timestamp(), statement_timestamp() FROM stored
"""
_RATE = """
    SELECT count(*) / extract(epoch FROM max(finished_at) - min(claimed_at))
    FROM eventbus_delivery WHERE subscriber = %s AND status = 'done'
"""
_OLDEST_OF = "SELECT id FROM eventbus_event ORDER BY id DESC LIMIT 1 OFFSET %s"
BATCH = 10_000
"""Flows that one statement stores, of three events each."""


class Outbox:
    """The stored events, as the database itself sees them."""

    def __init__(self, database_url: str) -> None:
        self._connection = psycopg.connect(database_url, autocommit=True)
        self._connection.execute("CREATE TABLE IF NOT EXISTS bench_effect (number int)")

    def fill_to(self, total: int) -> int:
        """Have about that many events, all delivered, as large as the newest ones of each kind; gives how many."""
        have = self._count()
        self._connection.execute("DROP TABLE IF EXISTS bench_template")
        self._connection.execute(_TEMPLATE)
        if have > total:
            self._keep(total)
            have = self._count()
        while have < total:
            flows = min(BATCH, -(-(total - have) // 3))
            self._connection.execute(_STORE_OLD, {"flows": flows, "seed": str(have)})
            have = self._count()
        for table in ("eventbus_event", "eventbus_delivery"):
            self._connection.execute(f"VACUUM ANALYZE {table}".encode())
        self._connection.execute("CHECKPOINT")
        return have

    def _keep(self, newest: int) -> None:
        """Throw away all but the newest events, as if nothing else had ever been published."""
        (oldest,) = self._connection.execute(_OLDEST_OF, (newest - 1,)).fetchone() or (0,)
        for table, column in (("moment", "event_id"), ("delivery", "event_id"), ("event", "id")):
            self._connection.execute(f"DELETE FROM eventbus_{table} WHERE {column} < %s".encode(), (oldest,))  # noqa: S608
            self._connection.execute(f"VACUUM FULL eventbus_{table}".encode())

    def _count(self) -> int:
        return self._number("SELECT count(*) FROM eventbus_event")

    def bytes(self) -> int:
        """Size of both tables with their indexes."""
        return self._number(
            "SELECT pg_total_relation_size('eventbus_event') + pg_total_relation_size('eventbus_delivery')"
        )

    def make_due(self, subscriber: str, count: int) -> None:
        """Store that many events of one key each, due for the subscriber, in one transaction; nobody is woken up."""
        self.forget(subscriber)
        self._connection.execute(_STORE_DUE, {"count": count, "subscriber": subscriber})

    def forget(self, subscriber: str) -> None:
        """Throw away what was made due before."""
        self._connection.execute("DELETE FROM eventbus_delivery WHERE subscriber = %s", (subscriber,))
        self._connection.execute("DELETE FROM eventbus_event WHERE type = 'BenchCounted'")
        self._connection.execute("TRUNCATE bench_effect")

    def settle(self) -> None:
        """As if everything that waits had been delivered."""
        self._connection.execute(
            "UPDATE eventbus_delivery SET status = 'done', finished_at = now(), lease_token = NULL, leased_until = NULL"
            " WHERE finished_at IS NULL"
        )

    def undelivered(self) -> int:
        """How many deliveries are ready or leased."""
        return self._number("SELECT count(*) FROM eventbus_delivery WHERE finished_at IS NULL")

    def rate(self, subscriber: str) -> float:
        """Deliveries a second, from the first claim to the last end, by the database's clock."""
        row = self._connection.execute(_RATE, (subscriber,)).fetchone()
        assert row is not None
        return float(row[0])

    def effects(self) -> int:
        """How many rows the handler has inserted."""
        return self._number("SELECT count(*) FROM bench_effect")

    def _number(self, statement: str) -> int:
        row = self._connection.execute(statement.encode()).fetchone()
        assert row is not None
        return int(row[0])

    def close(self) -> None:
        self._connection.close()
