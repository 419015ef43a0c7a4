"""Statistics and printing: one JSON line a figure."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

RUNS = 5
"""Every figure is the median over so many runs."""
COMMITS_WHEN_ANSWERED = 1
"""The save's own: what is on the disk when it is answered."""
COMMITS_AFTERWARDS = 3
"""Claim, evaluate, store: until the hint is sent. The floors pay for the same."""


@dataclass(frozen=True)
class Took:
    """How long one flow took, in seconds."""

    whole: float
    """From sending the save to the hint on the socket."""
    since_answered: float
    """From the answer to the save to the hint: how long somebody sees "Saved" beside an old evaluation."""

    @classmethod
    def until_now(cls, sent: float, answered: float) -> Took:
        """The flow ended just now; both moments are of `time.perf_counter`."""
        now = time.perf_counter()
        return cls(now - sent, now - answered)


def emit_waits(flows: list[list[Took]], floors: list[list[Took]], **more: object) -> None:
    """Print both figures of a flow, each list with a run's samples."""
    for name, field in (("answer_to_browser_ms", "since_answered"), ("save_to_browser_ms", "whole")):
        value, floor = (
            milliseconds([[getattr(each, field) for each in run] for run in runs]) for runs in (flows, floors)
        )
        emit(name, value, floor, ratio_p50=round(value["p50"] / floor["p50"], 2), **more)


def milliseconds_of(work: Callable[[], object], times: int = 100) -> float:
    """How long it takes at the median of so many times."""
    samples = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        samples.append(time.perf_counter() - started)
    return 1000 * statistics.median(samples)


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
