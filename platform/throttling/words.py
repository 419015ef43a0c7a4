"""How long to wait, for people."""

from __future__ import annotations

import math

from django.utils.translation import ngettext

LONGEST_IN_SECONDS = 90


def in_words(seconds: int) -> str:
    """The wait as "12 seconds" or "2 minutes", never shorter than it is."""
    if seconds <= LONGEST_IN_SECONDS and seconds % 60:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    minutes = math.ceil(seconds / 60)
    return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
