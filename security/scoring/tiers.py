"""Domains: a score, a band and a maturity tier each (SCORING 5; the tiers are named after those of NIST CSF 2.0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Literal

from questionnaires.definition import Domain, Questionnaire
from security.scoring.score import Tally

Tier = Literal["Partial", "Risk Informed", "Repeatable", "Adaptive"]

BORDERS: tuple[tuple[Tier, int], ...] = (("Adaptive", 85), ("Repeatable", 50), ("Risk Informed", 25))
"""The least score (100 times the weighted mean of the values) of each tier; below the last it is Partial."""


@dataclass(frozen=True, slots=True)
class DomainScore:
    """How one domain came out; all None where nothing in it is counted."""

    domain: Domain
    score: Fraction | None
    score_high: Fraction | None
    tier: Tier | None


def tier_of(score: Fraction) -> Tier:
    """The tier of an exact score."""
    whole = floor(score)
    return next((tier for tier, border in BORDERS if whole >= border), "Partial")


def domain_scores(questionnaire: Questionnaire, tallies: Mapping[str | None, Tally]) -> tuple[DomainScore, ...]:
    """Every domain that has a scored question, hidden ones included, in the questionnaire's order."""
    scored = {question.domain for question in questionnaire.questions if question.scored}
    return tuple(
        _domain_score(domain, tallies.get(domain.id, Tally()))
        for domain in questionnaire.domains
        if domain.id in scored
    )


def _domain_score(domain: Domain, tally: Tally) -> DomainScore:
    score = tally.score
    return DomainScore(domain, score, tally.score_high, None if score is None else tier_of(score))
