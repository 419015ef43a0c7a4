"""How people are recognised."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend as AllauthBackend
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import HttpRequest

from accounts import hashers, people
from accounts.models import User
from rows import Reader

_PEOPLE = Reader(User)
# By name: PostgreSQL refuses a prepared "*" once a migration has added a column, as during an upgrade.
_PERSON = f"SELECT {_PEOPLE.columns} FROM accounts_user WHERE id = %s"  # noqa: S608  (our own names)


class AuthenticationBackend(AllauthBackend):  # type: ignore[misc]  # allauth has no annotations
    """By email address and password, and then by the session."""

    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        """One look-up and one password hash, for known and unknown addresses alike; allauth hashes for the latter."""
        found: User | None = self._check_password(people.with_address(email), password)
        return found

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        """The person with this address and password. One that signs in by an older hash gets a new one: their other
        sessions end by that, as by any change of a hash; this one begins only now."""
        person: User | None = super().authenticate(request, **credentials)
        is_signing_in = request is not None and not getattr(request, "user", AnonymousUser()).is_authenticated
        if person is not None and is_signing_in and hashers.is_outdated(person.password):
            person.set_password(credentials["password"])
            person.save(update_fields=["password"])
        return person

    def _mitigate_timing_attack(self, password: str) -> None:
        """For an address that nobody has: what a wrong password costs everybody else."""
        hashers.even_out(password, None)

    def get_user(self, user_id: Any) -> User | None:
        """The person of a session; None where there is none any more, or one who may not sign in.

        Written out, for every request asks it: building the statement anew took longer than running it.
        """
        key = User._meta.pk.get_db_prep_value(user_id, connection)
        for person in _PEOPLE.read(_PERSON, [key]):
            return person if self.user_can_authenticate(person) else None
        return None
