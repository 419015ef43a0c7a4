"""The abuse part: what a person waits for a page and a save while somebody attacks, by the same without.

Turns with and without take each other's place, so that the hour and the machine are the same. Attackers are a process
of their own. The aim: three times as long at most, or, with everything in one process, 50 ms.

python -m tests.bench.abuse [--quick] [--mode embedded|production]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.abuse.attacks import ATTACKS, carry_out
from tests.bench.abuse.peers import VICTIM, Peer, Place
from tests.bench.abuse.sites import embedded, production
from tests.bench.figures import emit, percentile
from tests.bench.load import QUESTIONS
from tests.services import CannotHave

SITES = {"embedded": embedded, "production": production}
TURNS, SECONDS = 5, 6.0
QUICK_TURNS, QUICK_SECONDS = 1, 2.0
BEGINNING = 1.0
"""Seconds that an attack has before anything is measured."""
END = 3.0
"""Seconds in which the server gets done with what an attack has left."""
GAP = 0.1
"""Seconds between two requests of the victim: a person is not in a hurry, and stays below all limits."""
MOST = 3.0
MOST_EMBEDDED = 50.0
"""Milliseconds."""

Waits = dict[str, list[float]]


def main() -> int:
    """Run both modes, each in a process of its own: Django is set up once in a process."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.abuse", description=__doc__)
    parser.add_argument("--mode", choices=SITES)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="", help="attacks whose name begins so")
    given = parser.parse_args()
    if given.mode is None:
        command = [sys.executable, "-m", "tests.bench.abuse", *sys.argv[1:], "--mode"]
        return max(subprocess.run([*command, mode]).returncode for mode in SITES)
    try:
        with SITES[given.mode]() as place:
            run(place, given.mode, given.only, quick=given.quick)
    except CannotHave as reason:
        emit("abuse", None, None, mode=given.mode, skipped=str(reason))
    return 0


def run(place: Place, mode: str, only: str, *, quick: bool) -> None:
    """Each attack, in paired turns."""
    turns, seconds = (QUICK_TURNS, QUICK_SECONDS) if quick else (TURNS, SECONDS)
    victim = Victim(place)
    asyncio.run(victim.use(2.0))
    for name in ATTACKS:
        if not name.startswith(only):
            continue
        quiet: list[Waits] = []
        attacked: list[Waits] = []
        for _ in range(turns):
            quiet.append(asyncio.run(victim.use(seconds)))
            with attack(place, name):
                attacked.append(asyncio.run(victim.use(seconds)))
            time.sleep(END)
        for what in ("page", "save"):
            _emit(mode, name, what, [each[what] for each in attacked], [each[what] for each in quiet])


def _emit(mode: str, name: str, what: str, attacked: list[list[float]], quiet: list[list[float]]) -> None:
    value, floor = (
        round(statistics.median(percentile(turn, 0.95) for turn in turns) * 1000, 1) for turns in (attacked, quiet)
    )
    ratio = round(
        statistics.median(percentile(a, 0.95) / percentile(q, 0.95) for a, q in zip(attacked, quiet, strict=True)), 2
    )
    is_met = ratio <= MOST or (mode == "embedded" and value <= MOST_EMBEDDED)
    more = {"attack": name, "mode": mode, "turns": len(attacked), "met": is_met}
    emit(f"{what}_p95_ms", value, floor, ratio_p95=ratio, **more)


class Victim:
    """Somebody who opens a page and saves an answer, in turns, from an address of their own."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._number = 0
        self._versions = dict.fromkeys(QUESTIONS, 0)

    async def use(self, seconds: float) -> Waits:
        """The waits for each page and each save in so many seconds, but at least three of each. A request that fails
        takes as long as it took until one succeeds."""
        waits: Waits = {"page": [], "save": []}
        peer = Peer(self._place, VICTIM)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(waits["save"]) < 3:
            waits["page"].append(await self._timed(peer, "GET", f"/submissions/{self._place.victim.submission}/"))
            await asyncio.sleep(GAP)
            path = f"/submissions/{self._place.victim.submission}/answers/"
            waits["save"].append(await self._timed(peer, "POST", path, self._change()))
            await asyncio.sleep(GAP)
        peer.close()
        return waits

    async def _timed(self, peer: Peer, method: str, path: str, body: bytes = b"") -> float:
        started = time.perf_counter()
        for _attempt in range(20):
            status = await peer.ask(self._place.victim, method, path, body, "application/json")
            # What was stored although its answer broke off is in conflict with itself.
            if status in (200, 409):
                return time.perf_counter() - started
            await asyncio.sleep(GAP)
        raise RuntimeError(f"{method} {path} answered {status}, again and again")

    def _change(self) -> bytes:
        question = QUESTIONS[self._number % len(QUESTIONS)]
        value = "NPLF"[self._number // len(QUESTIONS) % 4]
        self._number += 1
        change = {"question": question, "value": value, "version": self._versions[question]}
        self._versions[question] += 1
        return json.dumps({"changes": [change]}).encode()


@contextmanager
def attack(place: Place, name: str) -> Iterator[None]:
    """The attack goes on for as long as the block takes."""
    process = multiprocessing.get_context("spawn").Process(target=carry_out, args=(place, name), daemon=True)
    process.start()
    try:
        time.sleep(BEGINNING)
        if not process.is_alive():
            raise RuntimeError(f"the attack {name!r} has ended by itself")
        yield
    finally:
        process.kill()
        process.join()


if __name__ == "__main__":
    sys.exit(main())
