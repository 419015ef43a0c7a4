"""Numbers as a person reads them: at most one decimal, in the reader's own notation."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TypeAlias

from django.utils.formats import number_format

Number: TypeAlias = int | float | Decimal | str

BORDERS = (25, 50, 75, 90, 100)
"""Where the rating changes, and the end. A score is never shown as if it had reached one that it misses."""
TENTH = Decimal("0.1")
FEW_PLACES = 4


def show(number: Number | None, places: int = 1) -> str:
    """With at most so many decimals, rounded half away from zero; a dash for None."""
    if number is None:
        return "–"  # noqa: RUF001  (a dash, not a minus)
    rounded = _rounded(Decimal(str(number)), places)
    return number_format(rounded, decimal_pos=_places_of(rounded))


def show_score(score: Number | None) -> str:
    """With one decimal, or as many as it takes not to round over a rating's border: 89.96 is not 90."""
    return show(None) if score is None else show(printed(score), 4)


def printed(score: Number) -> Decimal:
    """The very number that `show_score` writes: what else is shown beside it has to add up with this one."""
    exact = Decimal(str(score))
    places = next((n for n in (1, 2, 3) if _zone(_rounded(exact, n)) == _zone(exact)), 4)
    return _rounded(exact, places)


def to_tenth(number: Number) -> Decimal:
    """The very number that `show` writes."""
    return _rounded(Decimal(str(number)), 1)


def split(total: Decimal, parts: Sequence[Decimal]) -> list[Decimal]:
    """The parts as they are printed, in steps of a tenth or of the total's last decimal: they add up to the total.

    By the largest remainder: each is rounded down, and the steps that are left go to those that lost most. What is
    exactly 0 stays 0.
    """
    step = min(TENTH, Decimal(1).scaleb(-_places_of(total)))
    steps = [int((part / step).to_integral_value(ROUND_FLOOR)) for part in parts]
    left = int(total / step) - sum(steps)
    by_loss = sorted(
        (number for number, part in enumerate(parts) if part or not any(parts)),
        key=lambda number: (parts[number] - steps[number] * step, abs(parts[number])),
        reverse=left > 0,
    )
    for turn in range(abs(left) if parts else 0):
        steps[by_loss[turn % len(by_loss)]] += 1 if left > 0 else -1
    return [each * step for each in steps]


def show_signed(number: Number | None, places: int = 1) -> str:
    """With its sign, which is a true minus."""
    if number is None:
        return show(None)
    size = show(abs(Decimal(str(number))), places)
    if size == "0":
        return size
    return f"+{size}" if Decimal(str(number)) > 0 else f"−{size}"  # noqa: RUF001  (a minus, not a hyphen)


def show_fraction(value: Fraction) -> str:
    """Exactly: 1/3 stays 1/3, and 7/10 becomes 0.7. What is added up in a table has to come out."""
    if value.denominator in (2, 3, 4) or 10**FEW_PLACES % value.denominator:
        return str(value)
    return show(Decimal(value.numerator) / Decimal(value.denominator), FEW_PLACES)


def show_share(share: Number) -> str:
    """A part of a whole in percent, never as if it were the whole or nothing where it is not."""
    percent = 100 * Decimal(str(share))
    places = next((n for n in (0, 1) if (_rounded(percent, n) in (0, 25, 100)) is (percent in (0, 25, 100))), 2)
    return f"{show(percent, places)}%"


def _rounded(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _places_of(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _zone(number: Decimal) -> int:
    return (number > 0) + sum(number >= border for border in BORDERS)
