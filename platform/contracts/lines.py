"""Lines: an organisation's reports of one questionnaire that are compared with one another, for example one shop's."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID, uuid5

from contracts.answers import QuestionnaireRef

_FIRST_LINES = UUID("662e9604-ece1-402c-980c-2da59179af2c")


class InALine(Protocol):
    """A snapshot of answers or of a report."""

    @property
    def organisation(self) -> UUID: ...
    @property
    def questionnaire(self) -> QuestionnaireRef: ...
    @property
    def line(self) -> UUID | None: ...


def first_line(organisation: UUID, slug: str) -> UUID:
    """The id of the first line of an organisation and questionnaire.

    Whatever was made before there were lines belongs to it, so everybody has to be able to tell it without asking.
    """
    return uuid5(_FIRST_LINES, f"{organisation}/{slug}")


def line_of(snapshot: InALine) -> UUID:
    """The line that a snapshot belongs to: the first one where it does not say so."""
    return snapshot.line or first_line(snapshot.organisation, snapshot.questionnaire.slug)
