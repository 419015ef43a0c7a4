"""How people are recognised."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend as AllauthBackend
from django.db import connection

from accounts.models import User

# By name: PostgreSQL refuses a prepared "*" once a migration has added a column, as during an upgrade.
_COLUMNS = ", ".join(str(field.column) for field in User._meta.concrete_fields)
_PERSON = f"SELECT {_COLUMNS} FROM accounts_user WHERE id = %s"  # noqa: S608  (our own names)


class AuthenticationBackend(AllauthBackend):  # type: ignore[misc]  # allauth has no annotations
    """By email address and password, and then by the session."""

    def get_user(self, user_id: Any) -> User | None:
        """The person of a session; None where there is none any more, or one who may not sign in.

        Written out, for every request asks it: building the statement anew took longer than running it.
        """
        key = User._meta.pk.get_db_prep_value(user_id, connection)
        for person in User.objects.raw(_PERSON, [key]):
            return person if self.user_can_authenticate(person) else None
        return None
