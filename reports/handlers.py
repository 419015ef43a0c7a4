"""What the reports do when an evaluation was made."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from contracts import ReportEvent
from eventbus import NeverRetry, publish, subscribe
from questionnaires.library import UnknownQuestionnaire
from reports.live import send_hint
from reports.storing import announcement, store_evaluation


@subscribe(ReportEvent, name="reports.store", source="security", coalesce=True)
def store(event: ReportEvent) -> None:
    """Keep the evaluation as a report, tell the other modules, and once it is committed every open tab."""
    try:
        stored = store_evaluation(event)
    except UnknownQuestionnaire as error:
        raise NeverRetry(f"load the questionnaire {event.report.questionnaire.digest}, then redrive") from error
    if stored is None:
        return
    report, change = stored
    publish(announcement(event, report, change))
    transaction.on_commit(partial(send_hint, report, change))
