"""Subscribers that only the fault tests have."""

from __future__ import annotations

import os
import signal
import time

from django.db import connection

from contracts import AnswerEvent, ReportEvent
from eventbus import Retry, subscribe
from tests.faults.app.poison import POISON

RETRY = Retry(max_attempts=6, cap=1.0)
"""More than the workers have processes, so that an event which stops each of them would stop them all."""


@subscribe(ReportEvent, name="faults.count", source="reports", queue="reports", timeout=10)
def count(event: ReportEvent) -> None:
    """Note each stored report once. On purpose nothing here notices a second call: who is called twice counts twice."""
    report = event.report
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO faults_effect (organisation, submission, revision, engine, state) VALUES (%s, %s, %s, %s, %s)",
            [str(report.organisation), str(report.submission), report.revision, report.engine, event.state],
        )


@subscribe(AnswerEvent, name="faults.taste", coalesce=True, queue="security", timeout=3, retry=RETRY)
def taste(event: AnswerEvent) -> None:
    """Does nothing about an ordinary event."""
    notes = [given.note for given in event.answer.values.values() if given.note.startswith(POISON)]
    kinds = {note.removeprefix(POISON) for note in notes}
    if "raises" in kinds:
        raise OSError
    if "hangs" in kinds:
        time.sleep(3600)
    if "kills" in kinds:
        os.kill(os.getpid(), signal.SIGKILL)
