"""What has to hold at rest, whatever was broken before."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from questionnaires import library
from security.scoring import evaluate
from tests.faults.ledger import Acknowledged, Ledger
from tests.faults.site import Production, Site, uuid_list
from tests.faults.watchers import Watcher

AGED = {
    True: "created_at < now() - interval '10 seconds'",
    False: "created_at < strftime('%Y-%m-%d %H:%M:%f', 'now', '-10 seconds')",
}
"""Older than ten seconds, on PostgreSQL and on SQLite."""


@dataclass(frozen=True)
class Stored:
    """A report as the database has it."""

    id: UUID
    organisation: UUID
    submission: UUID
    revision: int
    engine: str
    final: bool
    answers: dict[str, Any]
    evaluation: dict[str, Any]


@dataclass
class Findings:
    """What does not hold, in numbers."""

    lost: set[UUID | tuple[UUID, int]] = field(default_factory=set)
    """Submissions without a report, submitted revisions without their final one, final ones that nobody was told of."""
    doubled: int = 0
    """Reports beyond the first of a submission, revision and engine, and calls of a subscriber beyond the first."""
    stale: set[UUID] = field(default_factory=set)
    """Submissions whose last report is not what the last acknowledged answers evaluate to."""
    missed: int = 0
    """Reports that a client shows otherwise than the database has them, or not at all."""
    overdue: int = 0
    """Deliveries that are ready or leased and older than ten seconds."""
    unheard: int = 0
    """Messages that no worker takes from the broker."""

    @property
    def at_rest(self) -> bool:
        """Whether everything has arrived."""
        return not (self.lost or self.stale or self.missed or self.overdue or self.unheard)


def examine(site: Site, ledger: Ledger, watchers: Sequence[Watcher], organisations: Sequence[UUID]) -> Findings:
    """Hold the database and the clients to what was acknowledged; raises NotThere."""
    reports = stored_reports(site, organisations)
    newest: dict[UUID, Stored] = {}
    finals: dict[tuple[UUID, int], Stored] = {}
    for report in reports:
        if report.final:
            finals[report.submission, report.revision] = report
        if report.submission not in newest or report.revision >= newest[report.submission].revision:
            newest[report.submission] = report
    findings = Findings(
        missed=sum(_differences(watcher, reports) for watcher in watchers),
        overdue=_overdue(site),
        unheard=site.wakeups(),
    )
    effects = _effects(site, organisations)
    told = {(submission, revision) for submission, revision, _engine, _state in effects}
    for fact in ledger.newest().values():
        if fact.submission not in newest:
            findings.lost.add(fact.submission)
        elif not _shows(newest[fact.submission], fact):
            findings.stale.add(fact.submission)
    for key, fact in ledger.finals().items():
        if key not in finals or key not in told:
            findings.lost.add(key)
        elif not _shows(finals[key], fact):
            findings.stale.add(fact.submission)
    findings.doubled = _surplus(Counter((r.submission, r.revision, r.engine) for r in reports)) + _surplus(effects)
    return findings


def submission_of(lost: UUID | tuple[UUID, int]) -> UUID:
    """The submission of something that is lost."""
    return lost if isinstance(lost, UUID) else lost[0]


def stored_reports(site: Site, organisations: Sequence[UUID]) -> list[Stored]:
    """The reports of these organisations."""
    rows = site.rows(
        'SELECT id, organisation_id, submission, revision, engine, provisional, "values", evaluation '
        f"FROM reports_report WHERE CAST(organisation_id AS text) IN ({uuid_list(organisations)}) AND NOT withdrawn"
    )
    return [
        Stored(
            id=_uuid(row[0]),
            organisation=_uuid(row[1]),
            submission=_uuid(row[2]),
            revision=row[3],
            engine=row[4],
            final=not row[5],
            answers={question: given["value"] for question, given in _document(row[6]).items()},
            evaluation=_document(row[7]),
        )
        for row in rows
    ]


def committed_revisions(site: Site, submissions: Iterable[UUID]) -> dict[UUID, int]:
    """The revision of each of these submissions that has been answered by a person."""
    rows = site.rows(
        f"SELECT id, revision FROM answers_submission WHERE CAST(id AS text) IN ({uuid_list([*submissions])})"
    )
    return {_uuid(submission): revision for submission, revision in rows}


def newest_revisions(site: Site, submissions: Iterable[UUID]) -> dict[UUID, int]:
    """The revision of each submission's last report."""
    rows = site.rows(
        "SELECT submission, max(revision) FROM reports_report "
        f"WHERE CAST(submission AS text) IN ({uuid_list([*submissions])}) GROUP BY submission"
    )
    return {_uuid(submission): revision for submission, revision in rows}


def _shows(report: Stored, fact: Acknowledged) -> bool:
    """Whether the report is of this revision, of these answers, and what they evaluate to."""
    if report.revision != fact.revision or report.answers != fact.answers:
        return False
    found = {name: part for name, part in report.evaluation.items() if name != "comparison"}
    return found == _evaluated(json.dumps(fact.answers, sort_keys=True))


@cache
def _evaluated(answers: str) -> dict[str, Any]:
    """The evaluation made again, through the JSON in which it is stored."""
    document = evaluate(library.built_in("quick-check"), json.loads(answers)).to_document()
    read: dict[str, Any] = json.loads(json.dumps(document))
    read.pop("comparison", None)
    return read


def _differences(watcher: Watcher, reports: Sequence[Stored]) -> int:
    wanted = {each.id: (each.revision, each.final) for each in reports if each.organisation == watcher.organisation}
    shown = dict(watcher.shown)
    return sum(shown.get(report) != wanted.get(report) for report in {*shown, *wanted})


def _effects(site: Site, organisations: Sequence[UUID]) -> Counter[tuple[UUID, int, str, str]]:
    """How often the counting subscriber was called about each report that was stored."""
    rows = site.rows(
        "SELECT submission, revision, engine, state, count(*) FROM faults_effect "
        f"WHERE organisation IN ({uuid_list(organisations)}) GROUP BY 1, 2, 3, 4"
    )
    return Counter({(UUID(row[0]), row[1], row[2], row[3]): row[4] for row in rows})


def _surplus(counted: Counter[Any]) -> int:
    return sum(count - 1 for count in counted.values())


def _overdue(site: Site) -> int:
    if not site.backend.has_outbox:
        return 0
    is_postgresql = isinstance(site, Production)
    statement = "SELECT count(*) FROM eventbus_delivery WHERE status IN ('ready', 'leased') AND "
    return int(site.rows(statement + AGED[is_postgresql])[0][0])


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _document(value: dict[str, Any] | str | None) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(value) if isinstance(value, str) else value or {}
    return read
