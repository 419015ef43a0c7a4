"""What `security` and `reports` tell the others about an evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from contracts.answers import GivenAnswer, QuestionnaireRef
from contracts.cloudevents import Event

ReportState = Literal["evaluated", "withdrawn", "new", "changed", "removed", "returned", "published", "failed"]
FROM_SECURITY: frozenset[ReportState] = frozenset({"evaluated", "withdrawn", "failed"})


@dataclass(frozen=True, kw_only=True)
class ReportSnapshot:
    """An evaluation with everything it was made from. It never has to be looked up in `answers` again."""

    __pydantic_config__ = ConfigDict(extra="ignore", use_attribute_docstrings=True)

    submission: UUID
    organisation: UUID
    questionnaire: QuestionnaireRef
    revision: Annotated[int, Field(ge=1)]
    """The submission's revision whose answers these are."""
    provisional: bool
    """True: made from a draft, replaced by each newer revision. False: final, never changed."""
    values: dict[str, GivenAnswer]
    evaluation: dict[str, Any] | None
    """SCORING, section 12, as JSON; None only where the draft was deleted or the evaluation failed."""
    engine: str
    """Name and version of the scoring engine, for example "weighted-v1"."""
    line: UUID | None = None
    """The line of the submission, within which reports are compared. None: the first one, see `contracts.lines`."""
    line_name: str = ""
    """The line's name when the answers were saved; empty: it has none."""


@dataclass(frozen=True, kw_only=True)
class ReportEvent(Event):
    """An evaluation was made (source `security`), or a stored report appeared or changed (source `reports`)."""

    TYPE: ClassVar[str] = "ReportEvent"

    report: ReportSnapshot
    state: ReportState
    """From security: evaluated; withdrawn (its draft was deleted); failed (no evaluation of this revision was made, and
    none will be unless an operator or a new attempt brings it about: `values` is empty). From reports: new, changed (a
    newer revision of a provisional one), removed, returned and published (admin review)."""

    @property
    def source(self) -> str:
        return "security" if self.state in FROM_SECURITY else "reports"

    @property
    def key(self) -> str:
        return str(self.report.submission)

    @property
    def organisation_id(self) -> UUID:
        return self.report.organisation

    @property
    def supersedable(self) -> bool:
        """What is about a draft gives way to something newer; what is about a final evaluation is always handled."""
        return self.state in ("evaluated", "changed", "failed") and self.report.provisional
