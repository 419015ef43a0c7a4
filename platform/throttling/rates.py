"""How fast a bucket fills, as an operator writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

OFF = "off"
_UNITS = {"s": 1, "m": 60, "h": 3600}
_WRITTEN = re.compile(r"(?P<amount>[1-9]\d{0,8})/(?P<unit>[smh])(?:,(?P<burst>[1-9]\d{0,8}))?")


@dataclass(frozen=True)
class Rate:
    """A bucket that holds `burst` tokens and gains `per_second` of them while it is not full."""

    per_second: float
    burst: float

    @property
    def seconds(self) -> float:
        """How long an empty bucket takes to be full."""
        return self.burst / self.per_second


def read(text: str) -> Rate | None:
    """The rate of a text such as `10/m`, or `5/s,40`; None for `off`. Raises ValueError.

    The unit is s, m or h: second, minute or hour. After the comma is what the bucket holds: how many may
    come at once. Without it, that is what comes in one unit.
    """
    if text == OFF:
        return None
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError("write a number and a time, as in 10/m; add what may come at once, as in 5/s,40; or write off")
    amount = int(found["amount"])
    return Rate(per_second=amount / _UNITS[found["unit"]], burst=int(found["burst"] or amount))
