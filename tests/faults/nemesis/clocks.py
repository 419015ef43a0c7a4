"""Clocks that are wrong."""

from __future__ import annotations

from pathlib import Path

from tests.faults.site import Production
from tests.faults.stage import Stage, Unavailable

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))


def be_an_hour_off(stage: Stage[Production]) -> None:
    """One worker's clock is an hour fast, the other's an hour slow (libfaketime)."""
    if not LIBRARIES:
        raise Unavailable("libfaketime is missing: apt-get install libfaketime")
    shifted = [
        {"LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME": by, "FAKETIME_DONT_FAKE_MONOTONIC": "1"} for by in ("+1h", "-1h")
    ]
    stage.site.start_workers(*shifted)
    stage.mark()
    stage.wait(10)
    for process in stage.site.with_children(stage.dice.choice(stage.site.workers)):
        process.kill()
    stage.mark()
    stage.wait(10)
    stage.site.start_workers({}, {})
    stage.mark()
