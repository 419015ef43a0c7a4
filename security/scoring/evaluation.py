"""The evaluation: all rules together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

from questionnaires.answers import Answers
from questionnaires.definition import Questionnaire
from security.scoring.document import evaluation_document
from security.scoring.findings import Finding, below_target, findings_of
from security.scoring.items import Item, items_of
from security.scoring.plan import Action, plan_of
from security.scoring.rating import Rating, cap, gate_fails, not_applicable_share, rating_of, reviewer_flags
from security.scoring.score import Tally, tally
from security.scoring.tiers import DomainScore, domain_scores

if TYPE_CHECKING:
    from security.scoring.comparison import Comparison


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What the answers come to. Every number is exact; it is rounded only in `to_document`."""

    questionnaire: Questionnaire
    items: tuple[Item, ...]
    """The visible scored questions, in the questionnaire's order."""
    weight: Fraction
    """Sum of the weights of the counted items."""
    score: Fraction | None
    """From 0 to 100, don't-knows as 0; None where nothing is counted. So are `score_high` and both ratings."""
    score_high: Fraction | None
    """The score with don't-knows as 1: the upper end of the band."""
    rating: Rating | None
    rating_uncapped: Rating | None
    """The rating that the score alone would give."""
    failed_gates: tuple[str, ...]
    """Ids of all failed gates, whether or not they change the rating."""
    not_applicable_share: Fraction
    """From 0 to 1, of the visible weight."""
    reviewer_flags: tuple[str, ...]
    domains: tuple[DomainScore, ...]
    findings: tuple[Finding, ...]
    """By severity, then points descending, then id."""
    plan: tuple[Action, ...]
    """In the order in which to act."""

    @property
    def capped_by(self) -> tuple[str, ...]:
        """Ids of the failed gates where they make the rating worse than the score's own; else empty."""
        return self.failed_gates if self.rating != self.rating_uncapped else ()

    @property
    def visible(self) -> int:
        """How many scored questions are asked."""
        return len(self.items)

    @property
    def answered(self) -> int:
        """How many of them have an answer; "don't know" and "not applicable" are answers."""
        return sum(item.state != "unanswered" for item in self.items)

    @property
    def provisional(self) -> bool:
        """Whether a visible scored question is unanswered."""
        return any(item.state == "unanswered" for item in self.items)

    @property
    def find_out(self) -> tuple[str, ...]:
        """Ids of the questions that were answered "don't know", in the questionnaire's order."""
        return tuple(item.id for item in self.items if item.state == "unknown")

    def to_document(self, comparison: Comparison | None = None) -> dict[str, Any]:
        """The evaluation as JSON-ready values (SCORING 12), numbers rounded to four places."""
        return evaluation_document(self, comparison)


def evaluate(questionnaire: Questionnaire, answers: Answers) -> Evaluation:
    """Evaluate the answers; the same questionnaire and answers always give the same result.

    Answers are in the spelling of `questionnaires.answers.clean_answer`; those to hidden or unknown questions are not
    looked at. Raises NoValue for an answer that its question does not take.
    """
    items = items_of(questionnaire, answers)
    tallies = _tallies(items)
    total = reduce(add, tallies.values(), Tally())
    score = total.score
    failed_gates = tuple(item.id for item in items if gate_fails(item))
    rating = None if score is None else rating_of(score)
    share = not_applicable_share(items)
    open_items = below_target(items)
    point = 100 / total.weight if open_items else Fraction(0)
    return Evaluation(
        questionnaire=questionnaire,
        items=items,
        weight=total.weight,
        score=score,
        score_high=total.score_high,
        rating=None if rating is None else cap(rating, len(failed_gates)),
        rating_uncapped=rating,
        failed_gates=failed_gates,
        not_applicable_share=share,
        reviewer_flags=reviewer_flags(items, share),
        domains=domain_scores(questionnaire, tallies),
        findings=findings_of(open_items, point),
        plan=plan_of(open_items, score=score or Fraction(0), point=point, failed_gates=len(failed_gates)),
    )


def _tallies(items: tuple[Item, ...]) -> dict[str | None, Tally]:
    by_domain: defaultdict[str | None, list[Item]] = defaultdict(list)
    for item in items:
        by_domain[item.question.domain].append(item)
    return {domain: tally(members) for domain, members in by_domain.items()}
