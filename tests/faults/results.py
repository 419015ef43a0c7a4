"""What the runs came to: kept line by line, so that a long series may be interrupted, and shown as a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

BOUND_SECONDS = 15.0
"""Back to normal within this time after each crash."""
SUMS = ("acknowledged", "lost", "late", "doubled", "stale", "missed", "refused")
COLUMNS = ("fault", "bus", "runs", *SUMS, "slowest recovery", "slowest answer")


@dataclass(frozen=True)
class Result:
    """One run."""

    fault: str
    backend: str
    seed: int
    short: bool
    acknowledged: int
    """Saves and submits that got a yes, and events that were published in a burst."""
    lost: int
    late: int
    """Not there at rest, but still held by the broker."""
    doubled: int
    stale: int
    missed: int
    overdue: int
    recoveries: list[float | None]
    """Seconds after each crash until all was well; None: not within the time that it was given."""
    refused: int
    """Requests that got no answer or an error, and were sent again."""
    slowest_answer: float
    figures: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def violations(self) -> list[str]:
        """What does not hold at rest, in words."""
        counted = {name: getattr(self, name) for name in ("lost", "late", "doubled", "stale", "missed", "overdue")}
        never = ["no recovery"] if None in self.recoveries else []
        return [f"{count} {name}" for name, count in counted.items() if count] + never + self.problems

    @property
    def broken(self) -> list[str]:
        """The same, and recoveries that took too long."""
        slow = [f"{each} s" for each in self.recoveries if each is not None and each > BOUND_SECONDS]
        return self.violations + ([f"recovery after {', '.join(slow)}"] if slow else [])

    @property
    def slowest(self) -> float:
        """Seconds of the slowest recovery; infinite where there was none in time."""
        return max((float("inf") if each is None else each for each in self.recoveries), default=0.0)


def append(file: Path, result: Result) -> None:
    """Keep a result."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as lines:
        lines.write(json.dumps(asdict(result)) + "\n")


def read(file: Path) -> list[Result]:
    """Everything that was kept; nothing where there is no file."""
    if not file.exists():
        return []
    return [Result(**json.loads(line)) for line in file.read_text().splitlines() if line]


def table(results: Sequence[Result]) -> str:
    """A row for each fault and backend, in Markdown."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.fault, result.backend), []).append(result)
    rows = [COLUMNS, ("---", "---", *["---:"] * (len(COLUMNS) - 2))]
    rows += [_row(fault, backend, group) for (fault, backend), group in sorted(groups.items(), key=_place)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    )


def _place(group: tuple[tuple[str, str], list[Result]]) -> tuple[str, bool]:
    """By fault, the product first."""
    (fault, backend), _results = group
    return fault, backend != "product"


def _row(fault: str, backend: str, group: Sequence[Result]) -> tuple[str, ...]:
    sums = [str(sum(getattr(each, name) for each in group)) for name in SUMS]
    slowest = max(each.slowest for each in group)
    shown = "none in time" if slowest == float("inf") else f"{slowest:.1f} s"
    answer = f"{max(each.slowest_answer for each in group):.1f} s"
    return (fault, backend, str(len(group)), *sums, shown, answer)
