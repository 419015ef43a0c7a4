"""Numbers as a person reads them: at most one decimal, in the reader's own notation."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TypeAlias

from django.utils.formats import number_format

Number: TypeAlias = int | float | Decimal | str

BORDERS = (25, 50, 75, 90)
"""Where the rating changes. A score is never shown as if it had reached one that it misses."""


def show(number: Number | None, places: int = 1) -> str:
    """With at most so many decimals, rounded half away from zero; a dash for None."""
    if number is None:
        return "–"  # noqa: RUF001  (a dash, not a minus)
    rounded = _rounded(Decimal(str(number)), places)
    return number_format(rounded, decimal_pos=_places_of(rounded))


def show_score(score: Number | None) -> str:
    """With one decimal, or as many as it takes not to round over a rating's border: 89.96 is not 90."""
    if score is None:
        return show(None)
    exact = Decimal(str(score))
    places = next((n for n in (1, 2, 3) if _zone(_rounded(exact, n)) == _zone(exact)), 4)
    return show(exact, places)


def show_signed(number: Number | None, places: int = 1) -> str:
    """With its sign, which is a true minus."""
    if number is None:
        return show(None)
    size = show(abs(Decimal(str(number))), places)
    if size == "0":
        return size
    return f"+{size}" if Decimal(str(number)) > 0 else f"−{size}"  # noqa: RUF001  (a minus, not a hyphen)


def show_fraction(value: Fraction) -> str:
    """1/3 stays 1/3; what is no small fraction becomes a decimal number."""
    if value.denominator in (2, 3, 4):
        return str(value)
    return show(Decimal(value.numerator) / Decimal(value.denominator), 4)


def _rounded(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _places_of(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _zone(number: Decimal) -> int:
    return sum(number >= border for border in BORDERS)
