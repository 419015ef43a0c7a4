"""The product's settings with an app that only the fault tests have: a failpoint, poison, a subscriber that counts."""

from __future__ import annotations

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS

# First, so that its receivers are called before the bus's own.
INSTALLED_APPS = ["tests.faults.app", *INSTALLED_APPS]
