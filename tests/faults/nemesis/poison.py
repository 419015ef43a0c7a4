"""Events that nobody can handle."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import psycopg

from tests.faults.app.poison import POISON
from tests.faults.people import FIRST_ANSWERS, Person
from tests.faults.site import Production, make_people, wait_until
from tests.faults.stage import Stage

KINDS = ("raises", "hangs", "kills")
INVALID = json.dumps({"specversion": "1.0", "type": "AnswerEvent", "data": {"answer": "none"}})


def poison(stage: Stage[Production]) -> None:
    """Four poisonous events: one raises, one hangs, one kills its worker, one breaks its contract. The others have to
    go on, and the poison has to end dead."""
    sessions = make_people(stage.site, f"poison-{uuid4().hex[:8]}", len(KINDS), 1)
    for session, kind in zip(sessions, KINDS, strict=True):
        Person(stage.site, session, stage.ledger, stage.dice).save(FIRST_ANSWERS, note=f"{POISON}{kind}")
    stage.organisations.append(sessions[0].organisation)
    keys = [session.submission for session in sessions]
    if stage.site.backend.has_outbox:
        keys.append(_store_invalid(stage.site, sessions[0].organisation))
        for _ in range(5):
            stage.mark()
            stage.wait(3)
        stage.expect(wait_until(lambda: _dead(stage.site, keys) == len(keys), 60), "not all of the poison ended dead")
    else:
        stage.mark()
        stage.wait(15)


def _store_invalid(site: Production, organisation: UUID) -> UUID:
    """An event that no publisher could have stored: `publish` checks the contract."""
    key = uuid4()
    with psycopg.connect(site.installation.database_url) as connection:
        (position,) = connection.execute(
            "INSERT INTO eventbus_event (uuid, type, source, key, organisation, payload, correlation_id, supersedable) "
            "VALUES (%s, 'AnswerEvent', 'answers', %s, %s, %s, %s, false) RETURNING id",
            [uuid4(), str(key), organisation, INVALID, uuid4()],
        ).fetchone() or (0,)
        connection.execute(
            "INSERT INTO eventbus_delivery (event_id, subscriber, key, generation, status, attempts, last_error) "
            "VALUES (%s, 'security.evaluate', %s, 0, 'ready', 0, '')",
            [position, str(key)],
        )
    return key


def _dead(site: Production, keys: list[UUID]) -> int:
    listed = ", ".join(f"'{key}'" for key in keys)
    found = site.rows(f"SELECT count(*) FROM eventbus_delivery WHERE status = 'dead' AND key IN ({listed})")
    return int(found[0][0])
