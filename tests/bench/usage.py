"""What processes take: CPU and memory of a process with all its children."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress

import psutil

GENERATOR = "generator"
"""This process: what it takes, the product can't have."""


def cpu_seconds(root: int) -> float:
    """Seconds of CPU that the process and its children have had so far, ended ones included."""
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(root)
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total


def resident_bytes(root: int) -> int:
    """Bytes of memory of one process."""
    return int(psutil.Process(root).memory_info().rss)


class Watch:
    """The CPU that named processes take between its making and `per`; this process is among them."""

    def __init__(self, roots: Mapping[str, list[int]]) -> None:
        self._roots = roots
        self._before = self._now()
        self._own = time.process_time()
        self._started = time.perf_counter()

    def _now(self) -> dict[str, float]:
        return {name: sum(map(cpu_seconds, pids)) for name, pids in self._roots.items()}

    def milliseconds_per(self, count: int) -> dict[str, float]:
        """Milliseconds of CPU per flow or delivery, by process."""
        spent = {GENERATOR: time.process_time() - self._own}
        spent |= {name: now - self._before[name] for name, now in self._now().items()}
        return {name: round(seconds * 1000 / max(count, 1), 2) for name, seconds in spent.items()}

    def generator_share(self) -> float:
        """Which part of one core this process took."""
        return round((time.process_time() - self._own) / (time.perf_counter() - self._started), 3)
