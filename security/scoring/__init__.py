"""Scoring: how answers become an evaluation. Pure functions: no Django, no database, no clock, no network."""

from security.scoring.comparison import Comparison, DifferentQuestionnaires, compare
from security.scoring.document import canonical_json
from security.scoring.engine import ENGINE
from security.scoring.evaluation import Evaluation, evaluate
from security.scoring.values import NoValue

__all__ = [
    "ENGINE",
    "Comparison",
    "DifferentQuestionnaires",
    "Evaluation",
    "NoValue",
    "canonical_json",
    "compare",
    "evaluate",
]
