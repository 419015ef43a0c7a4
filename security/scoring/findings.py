"""Findings: the counted items below their target (SCORING 6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from pydantic import JsonValue

from questionnaires.definition import Question
from security.scoring.items import Item
from security.scoring.rating import gate_fails

Severity = Literal["critical", "high", "medium", "low"]

SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
"""From the worst down."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be."""

    item: Item
    severity: Severity
    points: Fraction
    """What fixing it fully adds to the score. With all targets at 1, those of all findings add up to 100 - score."""

    @property
    def question(self) -> Question:
        return self.item.question

    @property
    def answer(self) -> JsonValue:
        return self.item.answer

    @property
    def target(self) -> Fraction:
        return self.item.target


def severity_of(item: Item) -> Severity:
    """How bad it is that this item is below its target."""
    if gate_fails(item):
        return "critical"
    if item.question.impact == "high":
        return "medium" if item.value else "high"
    return "medium" if item.question.impact == "moderate" else "low"


def below_target(items: Iterable[Item]) -> list[Item]:
    """The counted items that leave something to do."""
    return [item for item in items if item.value is not None and item.value < item.target]


def findings_of(open_items: Iterable[Item], point: Fraction) -> tuple[Finding, ...]:
    """By severity, then points descending, then id; `point` is what one unit of weight adds to the score."""
    findings = [_finding(item, point) for item in open_items]
    return tuple(sorted(findings, key=lambda found: (SEVERITIES.index(found.severity), -found.points, found.item.id)))


def _finding(item: Item, point: Fraction) -> Finding:
    value = item.value or 0
    return Finding(item, severity_of(item), point * item.weight * (1 - value) if value else point * item.weight)
