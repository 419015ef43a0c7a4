"""What a report's page is made of."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from pydantic import JsonValue

from questionnaires.answers import DONT_KNOW
from questionnaires.definition import Question
from questionnaires.words import controls_in_words
from reports import wording

Words = str | Promise


@dataclass(frozen=True)
class Asked:
    """A question, with what was answered."""

    id: str
    question: Question | None
    """None where the definition is not installed any more; the page then shows the id alone."""
    answer: str
    reason: str
    note: str
    value: JsonValue = None

    @property
    def gap(self) -> str:
        """What the answer leaves open; never the question's own sentence, which says that it is in place."""
        return wording.missing(self.question, self.value)

    @property
    def is_known(self) -> bool:
        """Whether it was answered otherwise than with "don't know"."""
        return self.value != DONT_KNOW

    @property
    def text(self) -> str:
        return self.question.text if self.question else self.id

    @property
    def title(self) -> str:
        """What to do about it, in the imperative."""
        return (self.question.action if self.question else "") or self.text

    @property
    def references(self) -> list[tuple[str, str]]:
        """The published controls that the question stands for: name of the framework, ids."""
        return controls_in_words(self.question.references) if self.question else []


@dataclass(frozen=True)
class DomainBar:
    """One domain: bar, score and tier."""

    id: str
    title: str
    score: Any
    score_high: Any
    tier: Words

    @property
    def unsure(self) -> Decimal:
        """The width of the band."""
        return Decimal(str(self.score_high or 0)) - Decimal(str(self.score or 0))


@dataclass(frozen=True)
class Finding:
    asked: Asked
    severity: str
    points: Decimal
    weight: Words


@dataclass(frozen=True)
class FindingGroup:
    severity: str
    label: Words
    meaning: Words
    findings: list[Finding]


@dataclass(frozen=True)
class Action:
    number: int
    asked: Asked
    points: Decimal
    projected_score: Any
    projected_rating: str
    effort: Words
    cost: Words
    complexity: Words


@dataclass(frozen=True)
class Wave:
    id: str
    label: Words
    meaning: Words
    actions: list[Action]


@dataclass(frozen=True)
class Change:
    id: str
    words: str
    """What is open where it got worse, else what it is about; never the question's own sentence."""
    points: Decimal | None


@dataclass(frozen=True)
class Difference:
    """How far the score is from the earlier one, in the figures that are printed: the two parts add up to the total."""

    total: Decimal
    answers: Decimal
    scope: Decimal


@dataclass(frozen=True)
class ChangeGroup:
    change: str
    label: Words
    items: list[Change]


@dataclass(frozen=True)
class AnsweredSection:
    title: str
    questions: list[Asked]


@dataclass(frozen=True)
class Working:
    """How one question entered the score."""

    id: str
    answer: str
    weight: str
    value: str
    product: str


@dataclass(frozen=True)
class Workings:
    """The formula in numbers."""

    rows: list[Working]
    weight: str
    achieved: str
    equals: str
    """ "=", or the sign for "about" where the score that is printed is rounded."""
