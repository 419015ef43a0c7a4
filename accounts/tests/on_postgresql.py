"""What only PostgreSQL shows; tests/test_postgresql.py runs it there."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.backends import AuthenticationBackend
from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def test_people_stay_signed_in_while_an_upgrade_adds_a_column(alice: User) -> None:
    backend = AuthenticationBackend()
    for _request in range(10):  # by then the driver has prepared the statement
        assert backend.get_user(alice.pk) == alice
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_user ADD COLUMN later integer")
    try:
        assert backend.get_user(alice.pk) == alice
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE accounts_user DROP COLUMN later")
