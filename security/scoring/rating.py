"""Gates, the rating and the reviewer's flags (SCORING 4; caps as SSL Labs sets them)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor
from typing import Literal

from security.scoring.items import Item
from security.scoring.values import THIRD, ZERO

Rating = Literal["A", "B", "C", "D", "E"]

BORDERS: tuple[tuple[Rating, int], ...] = (("A", 90), ("B", 75), ("C", 50), ("D", 25))
"""The least score of each rating; below the last it is E."""

GATES_FOR_E = 3
"""From so many failed gates on the rating is E; fewer cap it at D."""

NOT_APPLICABLE_LIMIT = Fraction(1, 4)
"""A reviewer looks where more than this share of the visible weight does not apply."""


def rating_of(score: Fraction) -> Rating:
    """The rating of an exact score, before gates."""
    whole = floor(score)  # no border lies between whole numbers, and integers compare much faster
    return next((rating for rating, border in BORDERS if whole >= border), "E")


def cap(rating: Rating, failed_gates: int) -> Rating:
    """The rating that is left with so many failed gates."""
    if failed_gates >= GATES_FOR_E:
        return "E"
    return "D" if failed_gates and rating < "D" else rating


def gate_fails(item: Item) -> bool:
    """Whether this is a gate that is counted and not even partially achieved."""
    return item.question.gate and item.value is not None and item.value < THIRD


def not_applicable_share(items: Sequence[Item]) -> Fraction:
    """Which part of the visible weight was answered "not applicable", from 0 to 1."""
    absent = [item.weight for item in items if item.state == "not_applicable"]
    return sum(absent, ZERO) / sum((item.weight for item in items), ZERO) if absent else ZERO


def reviewer_flags(items: Sequence[Item], share: Fraction) -> tuple[str, ...]:
    """What a reviewer should look at: each gate that was declared not applicable, and a large share of that at all."""
    gates = tuple(
        f"gate_not_applicable:{item.id}" for item in items if item.question.gate and item.state == "not_applicable"
    )
    return (*gates, "not_applicable_share") if share > NOT_APPLICABLE_LIMIT else gates
