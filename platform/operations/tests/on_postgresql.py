"""Checks that only PostgreSQL can fail. tests/test_postgresql.py runs this file."""

from __future__ import annotations

import pytest
from django.db import connection

from operations import checks

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_database_that_was_made_read_only_is_noticed() -> None:
    assert checks.check_database() == checks.WELL
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    try:
        found = checks.check_database()
    finally:
        connection.close()
    assert (found.ok, found.says) == (False, "the database takes no writes")
