"""Who is asking: a browser by the cookie of its session, any other client by the token it got when it logged in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from importlib import import_module
from types import SimpleNamespace
from typing import Any, cast

from allauth.headless import app_settings as headless
from django.conf import settings
from django.contrib.auth import get_user, get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils.module_loading import import_string

MAX_TOKEN = 512
"""Characters of what may be a token, or the key of a session."""


@dataclass(frozen=True)
class Asker:
    """Somebody who is logged in, as of one look-up."""

    user: AbstractBaseUser
    session_key: str
    stored: Hashable = field(default=None, compare=False, repr=False)
    """What the database held when it was looked up again; None after the first look-up."""

    def standing(self) -> Hashable:
        """What the person belongs to now: see GRAPHQL_STANDING."""
        return _standings([self.user.pk])[self.user.pk]


@dataclass(frozen=True)
class Again:
    """Somebody who was looked up again."""

    asker: Asker
    standing: Hashable
    """What the person belongs to now."""


def again(askers: Collection[Asker]) -> dict[Asker, Again]:
    """Look these up again, by three queries for all who are stored as they were the last time.

    Those whose session has ended, whose password was changed or who were deactivated are left out.
    """
    sessions: dict[str, str] = _session_store().stored([asker.session_key for asker in askers])
    people = get_user_model()._default_manager.in_bulk({asker.user.pk for asker in askers})
    standings = _standings(people)
    found = {}
    for asker in askers:
        person, session = people.get(asker.user.pk), sessions.get(asker.session_key)
        if person is not None and session is not None:
            stored = (session, tuple(person.serializable_value(each.attname) for each in person._meta.concrete_fields))
            now = _if_unchanged(asker, person, stored) or by_session(asker.session_key)
            if now is not None and now.user.pk == person.pk:
                found[asker] = Again(replace(now, stored=stored), standings[person.pk])
    return found


def _if_unchanged(asker: Asker, person: AbstractBaseUser, stored: Hashable) -> Asker | None:
    """The same asker as of now; None where anything is stored otherwise than the last time, and has to be judged."""
    # Others may get the same row, and rows remember what was loaded through them.
    return replace(asker, user=copy(person)) if person.is_active and asker.stored == stored else None


def by_session(key: str) -> Asker | None:
    """Whose session this is; None where nobody is logged in by it."""
    if not _can_be_looked_for(key):
        return None
    return _asker(_session_store()(key))


def by_token(token: str) -> Asker | None:
    """Who got this token when logging in; None for a wrong one, and for one whose log-in is unfinished or has ended.

    The only place where tokens are looked up, for HTTP and WebSocket alike.
    """
    session = headless.TOKEN_STRATEGY.lookup_session(token) if _can_be_looked_for(token) else None
    return _asker(session) if session is not None else None


def _can_be_looked_for(text: str) -> bool:
    # A database fails over half a surrogate pair, and PostgreSQL over NUL, which a quoted cookie can have.
    return 0 < len(text) <= MAX_TOKEN and text.isascii() and text.isprintable()


def _asker(session: SessionBase) -> Asker | None:
    user = get_user(cast("HttpRequest", SimpleNamespace(session=session)))
    if not isinstance(user, AbstractBaseUser) or not session.session_key:
        return None
    return Asker(user, session.session_key)


def _session_store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore


def _standings(people: Collection[Any]) -> Mapping[Any, Hashable]:
    found: Callable[[Collection[Any]], Mapping[Any, Hashable]] = import_string(settings.GRAPHQL_STANDING)
    return found(people)
