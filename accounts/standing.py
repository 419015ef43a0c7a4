"""Who is still signed in and what they belong to, for connections that outlive the request in which it was checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection
from django.utils.crypto import constant_time_compare

from accounts.models import Membership, User
from accounts.sessions import SessionStore
from rows import M, Reader
from sockets.gathering import Gathered

_PEOPLE = Reader(User)
_MEMBERSHIPS = Reader(Membership, ("id", "user_id", "organisation_id"))
# Written out: every second hint to an open tab asks them.
_PEOPLE_OF = f"SELECT {_PEOPLE.columns} FROM accounts_user WHERE id IN (<people>)"  # noqa: S608  (our own names)
_MEMBERSHIPS_OF = f"SELECT {_MEMBERSHIPS.columns} FROM accounts_membership WHERE user_id IN (<people>)"  # noqa: S608


def standings_of(people: Collection[UUID]) -> dict[UUID, frozenset[UUID]]:
    """The organisations of each of these people. Who holds a connection open closes it when they change."""
    found: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for membership in _of(people, _MEMBERSHIPS, _MEMBERSHIPS_OF):
        found[membership.user_id].add(membership.organisation_id)
    return {person: frozenset(found[person]) for person in people}


async def of_session(key: str) -> frozenset[UUID] | None:
    """The organisations of whoever is signed in by this session; None where nobody is, or not any more.

    As of the call or later. What many ask at the same time is looked up once for all of them, for a report's hint
    reaches all open tabs at once. Raises DatabaseError for each of them while the database is away.
    """
    return await _standings.ask(key)


def of_sessions(keys: Collection[str]) -> dict[str, frozenset[UUID]]:
    """The organisations of the people of all these sessions, by three statements; those that have ended are left out.

    A session counts as it does for a request (`django.contrib.auth.get_user`): its person is active and has the
    password with which it began, and its way of signing in is still allowed.
    """
    decode = SessionStore().decode
    held = {key: data for key, stored in SessionStore.stored(keys).items() if _is_allowed(data := decode(stored))}
    people = {person.pk: person for person in _people(set(map(_person_of, held.values())))}
    organisations = standings_of(people)
    hashes = {key: _hashes(person) for key, person in people.items() if person.is_active}
    return {
        key: organisations[_person_of(data)]
        for key, data in held.items()
        if any(constant_time_compare(data.get(HASH_SESSION_KEY, ""), each) for each in hashes.get(_person_of(data), ()))
    }


def _people(keys: Collection[UUID]) -> list[User]:
    return _of(keys, _PEOPLE, _PEOPLE_OF)


def _of(people: Collection[UUID], reader: Reader[M], statement: str) -> list[M]:
    """What a statement finds for all of these people."""
    if not people:
        return []
    keys = [User._meta.pk.get_db_prep_value(person, connection) for person in people]
    return reader.read(statement.replace("<people>", ", ".join(["%s"] * len(keys))), keys)


_standings: Gathered[str, frozenset[UUID]] = Gathered(of_sessions)


def _is_allowed(data: dict[str, Any]) -> bool:
    return SESSION_KEY in data and data.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS


def _person_of(data: dict[str, Any]) -> UUID:
    return UUID(data[SESSION_KEY])


def _hashes(person: User) -> list[str]:
    """What a session of the person may hold: made with the secret key, or with one that was replaced lately."""
    return [person.get_session_auth_hash(), *person.get_session_auth_fallback_hash()]
