"""What `security` and `reports` tell the others about an evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from contracts.answers import GivenAnswer, QuestionnaireRef
from contracts.cloudevents import Event

ReportState = Literal["evaluated", "withdrawn", "new", "changed", "removed", "returned", "published"]
FROM_SECURITY: frozenset[ReportState] = frozenset({"evaluated", "withdrawn"})


@dataclass(frozen=True, kw_only=True)
class ReportSnapshot:
    """An evaluation with everything it was made from. It never has to be looked up in `answers` again."""

    __pydantic_config__ = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    submission: UUID
    organisation: UUID
    questionnaire: QuestionnaireRef
    revision: Annotated[int, Field(ge=1)]
    """The submission's revision whose answers these are."""
    provisional: bool
    """True: made from a draft, replaced by each newer revision. False: final, never changed."""
    values: dict[str, GivenAnswer]
    evaluation: dict[str, Any] | None
    """SCORING, section 12, as JSON; None only where the draft was deleted."""
    engine: str
    """Name and version of the scoring engine, for example "weighted-v1"."""


@dataclass(frozen=True, kw_only=True)
class ReportEvent(Event):
    """An evaluation was made (source `security`), or a stored report appeared or changed (source `reports`)."""

    TYPE: ClassVar[str] = "ReportEvent"

    report: ReportSnapshot
    state: ReportState
    """From security: evaluated; withdrawn (its draft was deleted). From reports: new, changed (a newer revision of a
    provisional one), removed, returned and published (admin review)."""

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
        """A provisional evaluation gives way to a newer one; a final one is always handled."""
        return self.state in ("evaluated", "changed") and self.report.provisional
