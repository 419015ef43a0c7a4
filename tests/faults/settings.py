"""The product's settings with an app that only the fault tests have: a failpoint, poison, a subscriber that counts.

Without limits, because few people make all of the load."""

from __future__ import annotations

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS, THROTTLING

# First, so that its receivers are called before the bus's own.
INSTALLED_APPS = ["tests.faults.app", *INSTALLED_APPS]
THROTTLING = dict.fromkeys(THROTTLING)
