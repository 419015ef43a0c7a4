"""What there is to look at when a bound was broken: the ways of what is missing, and the processes' logs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

from tests.faults.invariants import Findings, submission_of
from tests.faults.results import Result
from tests.faults.site import Site, uuid_list

WAY = """
    SELECT e.id, e.type, e.source, e.created_at, d.subscriber, d.generation, d.status, d.attempts, d.claimed_at,
        d.leased_until, d.finished_at, d.last_error
    FROM eventbus_event e LEFT JOIN eventbus_delivery d ON d.event_id = e.id WHERE e.key IN ({keys}) ORDER BY e.id, d.id
"""


def write(file: Path, site: Site, result: Result, findings: Findings) -> None:
    """Write it down for a person."""
    missing = sorted({submission_of(each) for each in findings.lost} | findings.stale)
    parts = [
        json.dumps(asdict(result), indent=2),
        f"lost: {findings.lost}",
        f"stale: {findings.stale}",
        f"missed: {findings.missed}",
        *(_way(site, submission) for submission in missing[:3]),
        site.output(),
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n\n".join(parts) + "\n")


def _way(site: Site, submission: UUID) -> str:
    """The last events of a submission, with what became of them: no payloads."""
    listed = uuid_list([submission])
    reports = site.rows(
        "SELECT revision, provisional, position FROM reports_report "
        f"WHERE CAST(submission AS text) IN ({listed}) ORDER BY position"
    )
    effects = site.rows(f"SELECT revision, state FROM faults_effect WHERE submission IN ({listed})")
    events = [" ".join(map(str, row)) for row in site.rows(WAY.format(keys=listed))]
    return "\n".join([f"submission {submission}", f"reports: {reports}", f"told: {effects}", *events[-80:]])
