"""Sessions in the database, as Django keeps them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.sessions.backends import db
from django.db import connection
from django.utils import timezone

_LOAD = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s"


class SessionStore(db.SessionStore):
    """Looked up by a statement written out: every request does it, and building it anew took longer than running it."""

    def load(self) -> dict[str, Any]:
        """What the session holds; one that is unknown or over is empty and gets a new key."""
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        with connection.cursor() as cursor:
            cursor.execute(_LOAD, [self.session_key, now])
            found = cursor.fetchone()
        if found is None:
            self._session_key = None
            return {}
        return self.decode(found[0])

    @classmethod
    def stored(cls, keys: Collection[str]) -> dict[str, str]:
        """What is stored of each of these sessions, still encoded; those that are unknown or over are left out."""
        found = cls.get_model_class().objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
        return dict(found.values_list("session_key", "session_data"))
