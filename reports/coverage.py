"""How much of what was asked a result is made from: pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

LARGE = Decimal("0.25")
"""A share of the weight that does not apply and is larger than this stands beside the rating."""


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What counts, and what does not."""

    answered: int
    """How many of the scored questions that are asked have an answer."""
    asked: int
    not_applicable: int
    """How many of the answers are "not applicable": they do not count."""
    share: Decimal
    """The part of the weight of all that is asked to which that was answered, from 0 to 1."""
    gates_not_applicable: tuple[str, ...]
    """The ids of the gates among them."""
    gates_open: tuple[str, ...]
    """The ids of the gates that are not answered yet."""
    gates_short: tuple[str, ...]
    """The ids of the gates that did not fail and are not fully in place."""

    @property
    def counted(self) -> int:
        """How many of the questions the score is made from."""
        return self.answered - self.not_applicable

    @property
    def has_large_share(self) -> bool:
        return is_large(self.share)

    @property
    def is_thin(self) -> bool:
        """Whether so little counts that the result says little about the whole."""
        return self.has_large_share or (self.counted <= 1 < self.asked)


def is_large(share: Decimal) -> bool:
    """Whether so much does not apply that it has to be said beside the rating."""
    return share > LARGE


def rating_is_shown(answered: int, asked: int, *, final: bool) -> bool:
    """Before half of the questions are answered, one more answer may turn the rating over: then it is not shown."""
    return final or (asked > 0 and 2 * answered >= asked)


def coverage_of(document: dict[str, Any], not_applicable: int, gates: frozenset[str], waiting: set[str]) -> Coverage:
    """From an evaluation's document, how many answers are "not applicable", the ids of the gates, and of what waits."""
    flags = (flag.partition(":") for flag in document["reviewer_flags"])
    short = (row["question"] for row in document["findings"] if row["severity"] != "critical")
    return Coverage(
        answered=int(document["complete"]["answered"]),
        asked=int(document["complete"]["visible"]),
        not_applicable=not_applicable,
        share=Decimal(str(document["not_applicable_share"])),
        gates_not_applicable=tuple(key for kind, _colon, key in flags if kind == "gate_not_applicable"),
        gates_open=tuple(sorted(gates & waiting)),
        gates_short=tuple(sorted(gates & frozenset(short))),
    )
