"""Checking a backup, without a database: is it whole, and do its reports still say what their answers come to?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from eventbus.progress import Progress
from operations.archive.file import Reader, Unusable
from questionnaires.definition import Questionnaire, from_canonical
from questionnaires.models import Definition
from reports.models import Report
from security.scoring import ENGINE, NoValue, canonical_json, evaluate


@dataclass
class Findings:
    """What was found out about a backup."""

    rows: int = 0
    recomputed: int = 0
    """Reports whose evaluation came out the same, byte for byte."""
    differing: list[str] = field(default_factory=list)
    """Ids of reports whose evaluation does not follow from their answers."""
    not_recomputed: int = 0
    """Reports without an evaluation, of another engine, or of a questionnaire that the backup does not have."""


def verify(archive: Reader, progress: Progress) -> Findings:
    """Read everything; raises Unusable where it is damaged."""
    found, known = Findings(), dict[str, Questionnaire]()
    names = sorted(archive.manifest.tables, key=lambda name: (name == Report._meta.db_table, name))
    for name in names:
        table = archive.manifest.tables[name]
        for row in progress.over(archive.rows(name), name, table.rows):
            found.rows += 1
            if name == Definition._meta.db_table:
                _learn(dict(zip(table.columns, row, strict=True)), known)
            elif name == Report._meta.db_table:
                _recompute(dict(zip(table.columns, row, strict=True)), known, found)
    return found


def _learn(row: dict[str, Any], known: dict[str, Questionnaire]) -> None:
    """Take in a definition; one that is not what its digest says is damage."""
    try:
        questionnaire = from_canonical(row["body"])
    except ValidationError:
        raise Unusable(f"the questionnaire {row['digest'][:12]} can't be read") from None
    if questionnaire.digest != row["digest"]:
        raise Unusable(f"the questionnaire {row['digest'][:12]} has another content than its digest says")
    known[row["digest"]] = questionnaire


def _recompute(row: dict[str, Any], known: dict[str, Questionnaire], found: Findings) -> None:
    """Evaluate the stored answers again. The comparison with an earlier report was added later, by `reports`."""
    questionnaire = known.get(row["questionnaire_digest"])
    if row["evaluation"] is None or row["engine"] != ENGINE or questionnaire is None:
        found.not_recomputed += 1
        return
    answers = {key: given["value"] for key, given in row["values"].items() if given["value"] is not None}
    try:
        again = canonical_json(evaluate(questionnaire, answers).to_document())
    except NoValue:
        again = ""
    if again == canonical_json({**row["evaluation"], "comparison": None}):
        found.recomputed += 1
    else:
        found.differing.append(row["id"])
