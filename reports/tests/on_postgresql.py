"""Reports that several workers store at once. tests/test_postgresql.py runs this file, on PostgreSQL."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts.models import User
from questionnaires.definition import Questionnaire
from reports.models import Report
from reports.tests.makers import evaluated, stored

pytestmark = pytest.mark.django_db(transaction=True)


def test_positions_of_reports_have_no_gap_and_become_visible_in_their_order(
    alice: User, quick_check: Questionnaire
) -> None:
    organisation = alice.organisation
    writing = threading.Event()
    writing.set()

    def write() -> None:
        try:
            for _ in range(10):
                stored(evaluated(quick_check, organisation))
        finally:
            connection.close()

    def read() -> list[list[int]]:
        """Whatever was visible at any time."""
        seen = []
        try:
            while writing.is_set():
                seen.append(list(Report.objects.order_by("position").values_list("position", flat=True)))
        finally:
            connection.close()
        return seen

    with ThreadPoolExecutor(5) as people:
        reader = people.submit(read)
        for writer in [people.submit(write) for _ in range(4)]:
            writer.result(60)
        writing.clear()
        seen = reader.result(60)
    assert list(Report.objects.order_by("position").values_list("position", flat=True)) == list(range(1, 41))
    assert [positions for positions in seen if positions != list(range(1, len(positions) + 1))] == []
