"""`make faults`: run faults, keep what came of them, print the table. The exit status says whether the bounds held."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import django

django.setup()

from tests.bench.against.turns import CannotMeasure  # noqa: E402
from tests.faults import results  # noqa: E402
from tests.faults.backends import BACKENDS, PRODUCT, Backend  # noqa: E402
from tests.faults.nemesis.catalogue import FAULTS  # noqa: E402
from tests.faults.results import Result  # noqa: E402
from tests.faults.site import Embedded, Production, build_before  # noqa: E402
from tests.faults.stage import Fault, Unavailable, play  # noqa: E402
from tests.services import CannotHave, running_postgres, running_redis  # noqa: E402


class Grounds:
    """Installations for the runs: one serves until a run has broken a bound on it."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._site: Production | Embedded | None = None
        self._kind: tuple[str, str] | None = None

    def site(self, fault: Fault[Any], backend: Backend) -> Any:
        """One that is running."""
        kind = (fault.mode, backend.name)
        if fault.before:
            self.leave()
        if self._site is None or self._kind != kind:
            self.leave()
            self._site = self._stack.enter_context(running_site(fault, backend))
            self._kind = kind
        return self._site

    def leave(self) -> None:
        """Clear it away."""
        self._site = None
        self._stack.close()


@contextmanager
def running_site(fault: Fault[Any], backend: Backend) -> Iterator[Production | Embedded]:
    """An installation of its own for this fault, gone at the end of the block; raises CannotHave and CannotMeasure."""
    with ExitStack() as stack:
        before = stack.enter_context(build_before()) if fault.before else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plumbline-faults-")))
        site: Production | Embedded
        if fault.mode == "production":
            services = stack.enter_context(running_postgres()), stack.enter_context(running_redis())
            site = Production(*services, folder, backend, before)
        else:
            site = Embedded(folder, backend, before)
        stack.callback(site.stop)
        site.start()
        yield site


def main() -> int:
    """Run what was asked for."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)  # so that nothing that was started stays behind
    options = _options()
    file = Path(options.results)
    if options.table:
        _say(results.table(results.read(file)))
        return 0
    backends = [BACKENDS[name] for name in options.backend.split(",")]
    wanted = [FAULTS[name] for name in options.fault.split(",")] if options.fault else [*FAULTS.values()]
    runs = [(f, b, n) for b in backends for f in wanted if b is PRODUCT or f.plain for n in range(options.runs)]
    if options.resume:
        runs = _missing(runs, results.read(file))
    done = list(_run_all(runs, options.seed, file))
    _say(f"\n{results.table(results.read(file) if options.resume else done)}\n")
    broken = [each for each in done if each.backend == PRODUCT.name and each.broken]
    _say(f"{len(broken)} of {len(done)} runs broke a bound." if broken else "Every bound held.")
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--fault", default="", help=f"some of them, with commas between: {', '.join(FAULTS)}")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seed", type=int, help="repeat the run that printed it; the next run takes the next number")
    parser.add_argument("--backend", default="product", help="product, plain, or both: product,plain")
    parser.add_argument("--results", default="var/faults.jsonl", help="where each run adds a line")
    parser.add_argument("--resume", action="store_true", help="leave out the runs that the results have already")
    parser.add_argument("--table", action="store_true", help="only print the table of the results")
    return parser.parse_args()


Run = tuple[Fault[Any], Backend, int]


def _missing(runs: list[Run], have: list[Result]) -> list[Run]:
    def count(fault: Fault[Any], backend: Backend) -> int:
        return sum((each.fault, each.backend) == (fault.name, backend.name) for each in have)

    return [(fault, backend, number) for fault, backend, number in runs if number >= count(fault, backend)]


def _run_all(runs: list[Run], seed: int | None, file: Path) -> Iterator[Result]:
    grounds = Grounds()
    try:
        for number, (fault, backend, _n) in enumerate(runs, start=1):
            chosen = random.SystemRandom().randrange(2**31) if seed is None else seed + number - 1
            _say(f"[{number}/{len(runs)}] {fault.name} on {backend.name}, seed {chosen} ... ", end="")
            started = time.monotonic()
            try:
                result = play(fault, grounds.site(fault, backend), chosen)
            except (Unavailable, CannotHave, CannotMeasure) as reason:
                _say(f"left out: {reason}")
                continue
            results.append(file, result)
            _say(f"{_words(result)} ({time.monotonic() - started:.0f} s)")
            if result.broken or fault.before:
                grounds.leave()
            yield result
    finally:
        grounds.leave()


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _say(text: str, end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()


def _words(result: Result) -> str:
    recoveries = ", ".join("none in time" if each is None else f"{each:.1f} s" for each in result.recoveries)
    figures = "".join(f"; {name} {value}" for name, value in result.figures.items())
    verdict = "; ".join(result.broken) or "all bounds held"
    return f"{result.acknowledged} acknowledged; back to normal after {recoveries or 'nothing'}{figures}; {verdict}"


if __name__ == "__main__":
    sys.exit(main())
