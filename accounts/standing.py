"""Who is still signed in and what they belong to, for connections that outlive the request in which it was checked."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.crypto import constant_time_compare

from accounts import sessions
from accounts.models import Membership, User


def standing_of(user: AbstractBaseUser) -> frozenset[UUID]:
    """The organisations of a person. Who holds a connection open closes it when this changes."""
    return frozenset(Membership.objects.filter(user_id=user.pk).values_list("organisation_id", flat=True))


async def of_session(key: str) -> frozenset[UUID] | None:
    """The organisations of whoever is signed in by this session; None where nobody is, or not any more.

    As of the call or later. What many ask at the same time is looked up once for all of them, for a report's hint
    reaches all open tabs at once. Raises DatabaseError for each of them while the database is away.
    """
    gathering = _gathering.setdefault(asyncio.get_running_loop(), _Gathering())
    return (await gathering.look_up(key)).get(key)


def of_sessions(keys: Collection[str]) -> dict[str, frozenset[UUID]]:
    """The organisations of the people of all these sessions, by three statements; those that have ended are left out.

    A session counts as it does for a request (`django.contrib.auth.get_user`): its person is active and has the
    password with which it began, and its way of signing in is still allowed.
    """
    held = {key: data for key, data in sessions.load_many(keys).items() if _is_allowed(data)}
    people = {person.pk: person for person in User.objects.filter(pk__in=set(map(_person_of, held.values())))}
    belongs: dict[UUID, set[UUID]] = {key: set() for key in people}
    for person, organisation in Membership.objects.filter(user__in=people).values_list("user_id", "organisation_id"):
        belongs[person].add(organisation)
    hashes = {key: _hashes(person) for key, person in people.items() if person.is_active}
    return {
        key: frozenset(belongs[_person_of(data)])
        for key, data in held.items()
        if any(constant_time_compare(data.get(HASH_SESSION_KEY, ""), each) for each in hashes.get(_person_of(data), ()))
    }


def _is_allowed(data: dict[str, Any]) -> bool:
    return SESSION_KEY in data and data.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS


def _person_of(data: dict[str, Any]) -> UUID:
    return UUID(data[SESSION_KEY])


def _hashes(person: User) -> list[str]:
    """What a session of the person may hold: made with the secret key, or with one that was replaced lately."""
    return [person.get_session_auth_hash(), *person.get_session_auth_fallback_hash()]


@dataclass
class _Gathering:
    """Look-ups of one event loop, one at a time; whoever comes meanwhile shares the next one."""

    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    next: tuple[set[str], asyncio.Task[dict[str, frozenset[UUID]]]] | None = None

    async def look_up(self, key: str) -> dict[str, frozenset[UUID]]:
        if self.next is None:
            keys: set[str] = set()
            self.next = keys, asyncio.create_task(self._look_up(keys))
        keys, task = self.next
        keys.add(key)
        # One who leaves does not take the others' look-up along.
        return await asyncio.shield(task)

    async def _look_up(self, keys: set[str]) -> dict[str, frozenset[UUID]]:
        async with self.busy:
            self.next = None
            return await database_sync_to_async(of_sessions)(keys)


_gathering: WeakKeyDictionary[asyncio.AbstractEventLoop, _Gathering] = WeakKeyDictionary()
