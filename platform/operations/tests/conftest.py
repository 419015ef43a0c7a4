"""Counters and heartbeats of one test are not those of the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from eventbus import metrics
from operations import counters, full_disk, unapplied
from operations.heartbeat import pulse


@pytest.fixture(autouse=True)
def _fresh_counters() -> Iterator[None]:
    metrics.reset()
    counters.reset()
    pulse.reset()
    full_disk.forget()
    unapplied.forget()
    yield
    metrics.reset()
    counters.reset()
    pulse.reset()
    full_disk.forget()
    unapplied.forget()
