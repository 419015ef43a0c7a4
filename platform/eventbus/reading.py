"""Numbers and times as an operator writes them, on a page or in a terminal.

Python and Django read more than people mean: "1.000" as one, "1_000", and "2026-W22-7" as a day.
"""

from __future__ import annotations

import re
from datetime import datetime

from django.utils.dateparse import parse_datetime

_WHOLE = re.compile("[0-9]{1,9}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)


def read_whole(text: str) -> int | None:
    """A number of digits alone; None for anything else."""
    text = text.strip()
    return int(text) if _WHOLE.fullmatch(text) else None


def read_moment(text: str) -> datetime | None:
    """A day, or a day and a time; None for anything else. Naive where no zone is named."""
    text = text.strip()
    try:
        return parse_datetime(text) if _MOMENT.fullmatch(text) else None
    except ValueError:
        return None
