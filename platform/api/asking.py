"""Who is asking: a browser by the cookie of its session, any other client by the token it got when it logged in."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import SimpleNamespace
from typing import Any, cast

from allauth.headless import app_settings as headless
from django.conf import settings
from django.contrib.auth import get_user
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

    def standing(self) -> Hashable:
        """What the person belongs to now: see GRAPHQL_STANDING."""
        found: Callable[[AbstractBaseUser], Hashable] = import_string(settings.GRAPHQL_STANDING)
        return found(self.user)

    def again(self) -> Asker | None:
        """Look the same session up anew; None once it has ended, its password was changed or the person deactivated."""
        return by_session(self.session_key)


def by_session(key: str) -> Asker | None:
    """Whose session this is; None where nobody is logged in by it."""
    if not _can_be_looked_for(key):
        return None
    return _asker(import_module(settings.SESSION_ENGINE).SessionStore(key))


def by_token(token: str) -> Asker | None:
    """Who got this token when logging in; None for a wrong one, and for one whose log-in is unfinished or has ended.

    The only place where tokens are looked up, for HTTP and WebSocket alike.
    """
    session = headless.TOKEN_STRATEGY.lookup_session(token) if _can_be_looked_for(token) else None
    return _asker(session) if session is not None else None


def _can_be_looked_for(text: str) -> bool:
    # A database fails over half a surrogate pair, and PostgreSQL over NUL, which a quoted cookie can have.
    return 0 < len(text) <= MAX_TOKEN and text.isascii() and text.isprintable()


def token_in(headers: Mapping[str, Any]) -> str | None:
    """The token among headers, or the members of a `connection_init` payload; an empty one where none is readable.

    `Authorization: Bearer <token>` or `X-Session-Token: <token>`, whatever the case of their names. None without any.
    """
    given = {name.lower(): value for name, value in headers.items()}
    token = given.get("x-session-token")
    if token is None:
        authorization = given.get("authorization")
        if authorization is None:
            return None
        scheme, _space, token = authorization.partition(" ") if isinstance(authorization, str) else ("", "", "")
        if scheme.lower() != "bearer":
            return ""
    return token.strip() if isinstance(token, str) else ""


def _asker(session: SessionBase) -> Asker | None:
    user = get_user(cast("HttpRequest", SimpleNamespace(session=session)))
    if not isinstance(user, AbstractBaseUser) or not session.session_key:
        return None
    return Asker(user, session.session_key)
