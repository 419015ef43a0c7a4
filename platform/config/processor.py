"""How a web process shares the processor, among its threads and with the search for unused objects."""

from __future__ import annotations

import gc
import sys

SWITCH_SECONDS = 0.0005
"""How long a thread may compute before another one gets its turn. With Python's 5 ms a request that asks the database
twenty times waits twenty times that long while another one computes. In the embedded mode the worker's threads are
among them."""
YOUNG_OBJECTS = 10_000
"""How many new objects make Python look for unused ones. With its 700, an operation that makes many rows spends a third
of its time on that."""


def settle() -> None:
    """Share finely, and never again look for unused objects among what is loaded by now: that held up requests by a
    tenth of a second. What is loaded until here stays as long as the process."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
