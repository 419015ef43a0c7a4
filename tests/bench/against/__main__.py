"""Compare this checkout with a revision: `make bench AGAINST=<revision>`, or `make bench-gate` for a status that tells.

Exit status: 0 measured, and with --gate no figure's whole interval is below the gate; 1 one is; 2 not measured.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Sequence

from tests.bench.against import results
from tests.bench.against.builds import Build, build_of, environment_of, this_build
from tests.bench.against.measuring import Plan, Scene, measure
from tests.bench.against.ratios import FEWEST_TURNS, Comparison
from tests.bench.against.stopping import nothing_stays
from tests.bench.against.turns import CannotMeasure, Name

PARTS: dict[str, Sequence[tuple[str, Scene]]] = {
    "embedded": [("embedded", "everyday")],
    "production": [("production", "everyday")],
    "tail": [("embedded", "tail"), ("production", "tail")],
}
"""The modes and scenes of what may be asked for. Without a word it is what people do every day, in both modes."""
EVERYDAY = [*PARTS["embedded"], *PARTS["production"]]
PEOPLE = 128
SECONDS = 5.0
ROUNDS = 12
FILES = 8192
"""Open files that everybody's connections need, and more."""
FEWEST_FOR_THE_GATE = 6
"""With fewer turns there is no interval of 95 %."""


def main() -> int:
    """Measure what was asked for; gives the exit status."""
    given = options(sys.argv[1:])
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard) if hard >= 0 else FILES, hard))
    try:
        with nothing_stays():
            return _compare(given)
    except CannotMeasure as reason:
        _say(f"Not measured: {reason}")
        return 2


def options(arguments: list[str]) -> argparse.Namespace:
    """What was asked for; ends the process with status 2 where that can't be."""
    parser = argparse.ArgumentParser(prog="make bench AGAINST=<revision>", description=__doc__)
    parser.add_argument("revision", help="what to compare with, in git's words: 0df5df1, main~1, v0.1.0")
    parser.add_argument("--part", choices=PARTS, help="only this mode, or the tail of both: everything at once")
    parser.add_argument("--turns", type=int, help=f"of each figure; {FEWEST_TURNS} where nothing is said")
    parser.add_argument("--quick", action="store_true", help="for a look: two turns")
    parser.add_argument("--gate", action="store_true", help="end with 1 where a whole interval is below the gate")
    parser.add_argument("--people", type=int, default=PEOPLE, help="another load, for trying this program")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of a turn, for trying this program")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="answers of each before the first turn, likewise")
    given = parser.parse_args(arguments)
    given.turns = given.turns if given.turns is not None else 2 if given.quick else FEWEST_TURNS
    if not given.revision.strip():
        parser.error("say which revision: make bench AGAINST=main~1")
    if given.turns < 1 or given.people < 1 or given.rounds < 0 or given.seconds <= 0:
        parser.error("turns and people start at 1, and nothing is below 0")
    if given.gate and given.turns < FEWEST_FOR_THE_GATE:
        parser.error(f"the gate needs at least {FEWEST_FOR_THE_GATE} turns")
    return given


def _compare(given: argparse.Namespace) -> int:
    started = time.monotonic()
    plan = Plan(given.turns, given.people, given.seconds, given.rounds)
    with build_of(given.revision, _say) as old:
        new = this_build()
        builds: dict[Name, Build] = {"new": new, "old": old}
        _say(f"new: {new.revision}, this checkout; old: {old.revision}, with {environment_of(old)}")
        parts = PARTS[given.part] if given.part else EVERYDAY
        measured = [measure(mode, builds, plan, _say, scene) for mode, scene in parts]
    result = results.Result(new.revision, old.revision, plan, measured, time.monotonic() - started)
    _say(f"\n{result.table()}\n")
    _say(f"Every turn is in {result.write()}.")
    return status_of(result.comparisons) if given.gate else 0


def status_of(comparisons: list[Comparison]) -> int:
    """What the gate says."""
    return 1 if any(each.is_refused for each in comparisons) else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
