"""What `answers` tells the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue

from contracts.cloudevents import Event

AnswerState = Literal["new", "changed", "submitted", "deleted"]


@dataclass(frozen=True, kw_only=True)
class QuestionnaireRef:
    """The very definition that was answered."""

    __pydantic_config__ = ConfigDict(extra="ignore", use_attribute_docstrings=True)

    slug: str
    """The questionnaire line, for example "quick-check": what two reports must share to be compared."""
    version: str
    """The version a person reads, for example "1.0"."""
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the definition's canonical JSON: what is looked up."""


@dataclass(frozen=True, kw_only=True)
class GivenAnswer:
    """One answer."""

    __pydantic_config__ = ConfigDict(extra="ignore", use_attribute_docstrings=True)

    value: JsonValue
    """As in an answers file: "F", "yes", a choice id, a text, a list of choice ids, "dont_know" or
    {"not_applicable": reason}; a text of the letters dont_know is {"text": "dont_know"}. None: not answered (only a
    note)."""
    note: str = ""
    """The person's own words; shown in the report, never in a log or a webhook."""


@dataclass(frozen=True, kw_only=True)
class AnswerSnapshot:
    """All answers of a submission as they stood at one revision."""

    __pydantic_config__ = ConfigDict(extra="ignore", use_attribute_docstrings=True)

    submission: UUID
    organisation: UUID
    questionnaire: QuestionnaireRef
    revision: Annotated[int, Field(ge=1)]
    """Rises by one with each save and with submitting."""
    values: dict[str, GivenAnswer]
    """By question id; a missing key is an unanswered question. Answers to hidden questions are kept."""
    line: UUID | None = None
    """What the submission goes on in: reports of one line are compared. None: the first one, see `contracts.lines`."""
    line_name: str = ""
    """The line's name at that moment; empty: it has none."""


@dataclass(frozen=True, kw_only=True)
class AnswerEvent(Event):
    """Answers were saved, submitted or thrown away."""

    TYPE: ClassVar[str] = "AnswerEvent"

    answer: AnswerSnapshot
    state: AnswerState
    """new: the first save; changed: a later one; submitted: complete and handed in; deleted: the draft is gone,
    `values` is empty and its provisional report has to go too."""

    @property
    def source(self) -> str:
        return "answers"

    @property
    def key(self) -> str:
        return str(self.answer.submission)

    @property
    def organisation_id(self) -> UUID:
        return self.answer.organisation

    @property
    def supersedable(self) -> bool:
        """Drafts give way to newer ones; what was submitted or deleted is always handled."""
        return self.state in ("new", "changed")
