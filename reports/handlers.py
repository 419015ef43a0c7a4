"""What the reports do when an evaluation was made, or an organisation was erased."""

from __future__ import annotations

from functools import partial

from django.db import connection, transaction

from contracts import OrganisationEvent, ReportEvent
from eventbus import TryAgain, publish, subscribe
from questionnaires.library import UnknownQuestionnaire
from reports.live import send_erased, send_hint, send_problem
from reports.models import Problem
from reports.problems import keep
from reports.storing import announcement, store_evaluation

ONE_WRITER = connection.vendor == "sqlite"
"""Where there is one writer at a time transactions can't deadlock, and a shared one waits for its turn once."""


def note_problem(event: ReportEvent) -> None:
    """Keep that there will be no report, and tell every open tab. An evaluation that was only to go leaves no wait."""
    if event.state == "withdrawn":
        return
    reason = Problem.Reason.NOT_EVALUATED if event.state == "failed" else Problem.Reason.NOT_STORED
    problem = keep(event, reason)
    if problem is not None:
        transaction.on_commit(partial(send_problem, problem, event.id))


@subscribe(
    ReportEvent,
    name="reports.store",
    source="security",
    coalesce=True,
    timeout=10.0,
    queue="reports",
    batch=ONE_WRITER,
    on_dead=note_problem,
)
def store(event: ReportEvent) -> None:
    """Keep the evaluation as a report, tell the other modules, and once it is committed every open tab."""
    if event.state == "failed":
        note_problem(event)
        return
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


@subscribe(OrganisationEvent, name="reports.close_sockets", source="accounts", timeout=10.0, queue="reports")
def close_sockets(event: OrganisationEvent) -> None:
    """Have every open tab of the organisation look again, and see that it is gone.

    By the bus: who erased it may be a command, and in the embedded mode the server alone reaches the tabs.
    """
    transaction.on_commit(partial(send_erased, event.organisation))
