"""What the reports do when an evaluation was made."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from contracts import ReportEvent
from eventbus import TryAgain, publish, subscribe
from questionnaires.library import UnknownQuestionnaire
from reports.live import send_hint
from reports.storing import announcement, store_evaluation


@subscribe(ReportEvent, name="reports.store", source="security", coalesce=True, timeout=10.0, queue="reports")
def store(event: ReportEvent) -> None:
    """Keep the evaluation as a report, tell the other modules, and once it is committed every open tab."""
    try:
        stored = store_evaluation(event)
    except UnknownQuestionnaire as error:
        wanted = event.report.questionnaire
        raise TryAgain(
            f"this installation does not have the questionnaire {wanted.slug} {wanted.version} "
            f"(digest {wanted.digest[:12]}): load it; the delivery then succeeds"
        ) from error
    if stored is None:
        return
    report, change = stored
    announced = announcement(event, report, change)
    publish(announced)
    transaction.on_commit(partial(send_hint, report, change, announced.id))
