"""Sessions in the database, as Django keeps them. They end SESSION_DAYS after signing in, and after SESSION_IDLE_DAYS
without a request."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.db import DatabaseError, connection
from django.utils import timezone

from accounts.models import OpenSession

BEGAN = "began"
"""Where a session keeps when its person signed in, in seconds since 1970."""
NOTED_EVERY = timedelta(hours=1)
"""How often, at most, a session is written only because somebody was there."""
_LOAD = "SELECT session_data, expire_date FROM django_session WHERE session_key = %s AND expire_date > %s"
_STORED = "SELECT session_key, session_data FROM django_session WHERE session_key IN (<keys>) AND expire_date > %s"


class SessionStore(db.SessionStore):
    """Looked up by a statement written out: every request does it, and building it anew took longer than running it."""

    def load(self) -> dict[str, Any]:
        """What the session holds; one that is unknown or over is empty and gets a new key."""
        now = timezone.now()
        with connection.cursor() as cursor:
            cursor.execute(_LOAD, [self.session_key, connection.ops.adapt_datetimefield_value(now)])
            found = cursor.fetchone()
        if found is None:
            self._session_key = None
            return {}
        data = self.decode(found[0])
        if SESSION_KEY in data:
            self._note_use(data, _moment(found[1]), now)
        return data

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        """When it ends if nobody uses it any more; for somebody who is signed in by their limits."""
        if SESSION_KEY in self:
            return _end(self.get(BEGAN), timezone.now())
        return super().get_expiry_date(**kwargs)

    def cycle_key(self) -> None:
        """Give it a new key; the person's list of sessions follows."""
        before = self.session_key
        super().cycle_key()
        if before and self.session_key:
            OpenSession.objects.filter(session_key=before).update(session_key=self.session_key)

    def _note_use(self, data: dict[str, Any], ends: datetime, now: datetime) -> None:
        """Move the end, once an hour. A database that takes no writes keeps nobody from reading."""
        end = _end(data.get(BEGAN), now)
        if BEGAN not in data:  # of an older version: it is not made longer
            end = min(end, ends)
        if abs(end - ends) < NOTED_EVERY or connection.in_atomic_block:
            return
        with suppress(DatabaseError):
            self.get_model_class().objects.filter(pk=self.session_key).update(expire_date=end)
            mine = OpenSession.objects.filter(session_key=self.session_key)
            if not mine.update(seen_at=now):
                # It began before there was a list.
                OpenSession.objects.create(user_id=UUID(data[SESSION_KEY]), session_key=str(self.session_key))

    @classmethod
    def stored(cls, keys: Collection[str]) -> dict[str, str]:
        """What is stored of each of these sessions, still encoded; those that are unknown or over are left out."""
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        with connection.cursor() as cursor:
            cursor.execute(_STORED.replace("<keys>", ", ".join(["%s"] * len(keys))), [*keys, now])
            return dict(cursor.fetchall())


def _end(began: float | None, now: datetime) -> datetime:
    """The earlier one of both ends."""
    idle = now + timedelta(days=settings.SESSION_IDLE_DAYS)
    last = datetime.fromtimestamp(began or time.time(), UTC) + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return min(idle, last)


def _moment(stored: Any) -> datetime:
    """A time as the driver gives it: SQLite keeps texts without a zone."""
    moment = stored if isinstance(stored, datetime) else datetime.fromisoformat(stored)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
