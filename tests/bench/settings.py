"""The product's settings and one subscriber more, of which each delivery is one insert; without limits, because few
people make all of the load."""

from __future__ import annotations

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS, THROTTLING

INSTALLED_APPS = [*INSTALLED_APPS, "tests.bench.inserting"]
THROTTLING = dict.fromkeys(THROTTLING)
# One listener hears of all: it would measure the merging.
LIVE_MERGE_SECONDS = 0.0
