"""What came of it: a table to read, and a file with every turn."""

from __future__ import annotations

import json
import os
import platform
import statistics
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.against.builds import KEPT, ROOT
from tests.bench.against.measuring import Measured, Plan
from tests.bench.against.ratios import FEWEST_TURNS, Comparison

HEAD = ("mode", "figure", "new", "old", "floor", "ratio of speed", "95 % interval", "verdict")


@dataclass(frozen=True)
class Result:
    """Of both builds, in all modes that were asked for."""

    new: str
    old: str
    plan: Plan
    parts: list[Measured]
    seconds: float

    @property
    def comparisons(self) -> list[Comparison]:
        """Every figure."""
        return [comparison for part in self.parts for comparison in part.comparisons]

    def table(self) -> str:
        """A line for each figure, and what one has to know of it."""
        rows = [HEAD, *map(_row, self.comparisons)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, "", *self._notes()])

    def _notes(self) -> list[str]:
        turns, failed = self.plan.turns, sum(len(part.failures) for part in self.parts)
        notes = [
            "A ratio of 1 is equal, below 1 the new build is slower. Medians of the turns; the ratio's is of pairs."
        ]
        notes += [f"{turns} turns of each figure, {self.seconds / 60:.0f} minutes."]
        if turns < FEWEST_TURNS:
            notes += [f"A verdict counts with at least {FEWEST_TURNS} turns."]
        if failed:
            notes += [f"Turns that failed and were repeated: {failed}."]
        return notes

    def write(self) -> Path:
        """Keep all of it; gives the file, as seen from the checkout."""
        KEPT.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC)
        file = KEPT / f"{now:%Y-%m-%d-%H%M%S}-{self.new.rstrip('+')}-against-{self.old}.json"
        document = {
            "new": self.new,
            "old": self.old,
            "at": now.isoformat(timespec="seconds"),
            "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
            "plan": asdict(self.plan),
            "seconds": round(self.seconds),
            "figures": [_document(each) for each in self.comparisons],
            "failures": [asdict(failure) for part in self.parts for failure in part.failures],
        }
        file.write_text(json.dumps(document, indent=1) + "\n")
        return file.relative_to(ROOT)


def _row(each: Comparison) -> tuple[str, ...]:
    interval = each.interval
    bounds = f"{interval.low:.3f} to {interval.high:.3f}"
    return (
        each.mode,
        f"{each.figure}, {each.unit}" if each.kind == "time" else each.figure,
        *(f"{statistics.median(samples):.1f}" for samples in (each.new, each.old, each.floor)),
        f"{each.median:.3f}",
        bounds if interval.is_certain else f"({bounds}: {interval.coverage:.0%})",
        each.verdict,
    )


def _document(each: Comparison) -> dict[str, object]:
    return {
        **asdict(each),
        "ratios": [round(ratio, 4) for ratio in each.ratios],
        "median": each.median,
        "interval": asdict(each.interval),
        "verdict": each.verdict,
    }
