"""The JSON form of an evaluation (SCORING 12), and the only place where numbers are rounded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, overload

from security.scoring.engine import ENGINE
from security.scoring.findings import Finding
from security.scoring.plan import Action
from security.scoring.tiers import DomainScore

if TYPE_CHECKING:
    from security.scoring.comparison import Comparison
    from security.scoring.evaluation import Evaluation

PLACES = 10_000
"""Four decimal places."""


@overload
def rounded(number: Fraction) -> int | float: ...
@overload
def rounded(number: None) -> None: ...
def rounded(number: Fraction | None) -> int | float | None:
    """To at most four places, half away from zero, in the type whose JSON is shortest: 50, not 50.0."""
    if number is None:
        return None
    size, denominator = abs(number.numerator), number.denominator
    scaled = (2 * PLACES * size + denominator) // (2 * denominator)
    signed = scaled if number.numerator >= 0 else -scaled
    return signed / PLACES if signed % PLACES else signed // PLACES


def canonical_json(document: Mapping[str, Any]) -> str:
    """The one spelling of a document: keys sorted, no spaces, a newline at the end; encode it as UTF-8."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False) + "\n"


def evaluation_document(evaluation: Evaluation, comparison: Comparison | None) -> dict[str, Any]:
    """See `Evaluation.to_document`."""
    questionnaire = evaluation.questionnaire
    return {
        "engine": ENGINE,
        "questionnaire": {
            "slug": questionnaire.slug,
            "version": questionnaire.version,
            "digest": questionnaire.digest,
        },
        "score": rounded(evaluation.score),
        "score_high": rounded(evaluation.score_high),
        "rating": evaluation.rating,
        "rating_uncapped": evaluation.rating_uncapped,
        "capped_by": list(evaluation.capped_by),
        "complete": {"answered": evaluation.answered, "visible": evaluation.visible},
        "provisional": evaluation.provisional,
        "not_applicable_share": rounded(evaluation.not_applicable_share),
        "reviewer_flags": list(evaluation.reviewer_flags),
        "domains": [_domain(domain) for domain in evaluation.domains],
        "findings": [_finding(finding) for finding in evaluation.findings],
        "plan": [_action(action) for action in evaluation.plan],
        "find_out": list(evaluation.find_out),
        "comparison": None if comparison is None else comparison_document(comparison),
    }


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """See `Comparison.to_document`."""
    return {
        "delta": rounded(comparison.delta),
        "scope_effect": rounded(comparison.scope_effect),
        "items": [
            {"question": item.question.id, "change": item.change, "points": rounded(item.points)}
            for item in comparison.items
        ],
    }


def _domain(domain: DomainScore) -> dict[str, Any]:
    return {
        "id": domain.domain.id,
        "score": rounded(domain.score),
        "score_high": rounded(domain.score_high),
        "tier": domain.tier,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "question": finding.question.id,
        "severity": finding.severity,
        "answer": finding.answer,
        "points": rounded(finding.points),
        "target": rounded(finding.target),
    }


def _action(action: Action) -> dict[str, Any]:
    return {
        "question": action.question.id,
        "wave": action.wave,
        "effort": rounded(action.effort),
        "points": rounded(action.points),
        "projected_score": rounded(action.projected_score),
        "projected_rating": action.projected_rating,
    }
