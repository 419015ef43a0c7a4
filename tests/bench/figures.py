"""Statistics and printing: one JSON line a figure."""

from __future__ import annotations

import json
import statistics
import sys

RUNS = 5
"""Every figure is the median over so many runs."""
COMMITS_PER_FLOW = 4
"""Save, claim, evaluate, store: what the floors of `answer_to_browser_ms` pay for too."""


def wants_quick() -> bool:
    """Whether fewer and shorter rounds were asked for, for a look."""
    return "--quick" in sys.argv


def emit(name: str, value: object, floor: object, **more: object) -> None:
    """Print one figure."""
    print(json.dumps({"figure": name, "value": value, "floor": floor, **more}), flush=True)  # noqa: T201


def percentile(samples: list[float], share: float) -> float:
    """The smallest sample that at least `share` of all do not exceed."""
    ranked = sorted(samples)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def milliseconds(runs: list[list[float]]) -> dict[str, float]:
    """p50, p95 and p99 in milliseconds, each the median over the runs; samples are in seconds."""
    return {
        f"p{int(share * 100)}": round(statistics.median(percentile(run, share) for run in runs) * 1000, 2)
        for share in (0.5, 0.95, 0.99)
    }
