"""What only PostgreSQL shows; tests/test_postgresql.py runs it there."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.backends import AuthenticationBackend
from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def alter(change: str) -> None:
    """Change the table of people as an upgrade does, in another process: over a connection of its own."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(f"ALTER TABLE accounts_user {change}")
    finally:
        other.close()


def test_people_stay_signed_in_while_an_upgrade_adds_a_column(alice: User) -> None:
    backend = AuthenticationBackend()
    for _request in range(10):  # by then the driver has prepared the statement
        assert backend.get_user(alice.pk) == alice
    alter("ADD COLUMN later integer")
    try:
        assert backend.get_user(alice.pk) == alice
    finally:
        alter("DROP COLUMN later")
