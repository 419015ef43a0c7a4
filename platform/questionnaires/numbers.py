"""Numbers as people write them, which is not how a programming language reads them.

A customer writes digits, with a sign before them and one decimal point or decimal comma where needed: "12", "-3",
"2.5", "2,5". What can be read in two ways is refused with both of them, never guessed: "1.000" is one in London and a
thousand in Vienna, and "1,000" the other way round. `docs/questionnaires.md` tells authors and clients the same.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

from questionnaires.refusals import InvalidAnswer
from questionnaires.refusals import marked as _
from questionnaires.texts import as_seen

MAX_NUMBER = 10**15
MAX_DIGITS = 15
"""As many as every program keeps that reads JSON numbers as most do."""
LONGEST = 100
"""More characters than any number in reach has."""
LEAST = Decimal(10) ** -MAX_DIGITS

# What word processors and other keyboards make of a hyphen before a number.
_MINUS = re.compile("^[\u2010-\u2013\u2212\ufe63\uff0d]")
_PLAIN = re.compile(r"[-+]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)")
# Up to three digits that a group of three follows: a number below a thousand, or one above.
_AMBIGUOUS = re.compile(r"[-+]?[1-9][0-9]{0,2}[.,][0-9]{3}")
# Groups as they are written in Europe and America, in Switzerland and by programmers; then those of India.
_GROUPED = re.compile(
    r"(?P<sign>[-+]?)[0-9]{1,3}"
    r"(?:(?P<separator>[.,'\N{RIGHT SINGLE QUOTATION MARK}_]|\s)[0-9]{3}(?:(?P=separator)[0-9]{3})*"
    r"|(?P<comma>,)[0-9]{2}(?:,[0-9]{2})*,[0-9]{3})"
    r"(?P<rest>(?!(?P=separator)|(?P=comma))[.,][0-9]+)?"
)
_ENTER = _("Enter a number, for example 12 or 2.5.")


def read_number(text: str) -> int | float:
    """The number that a person wrote; raises InvalidAnswer, with what to write instead, for anything else."""
    text = _MINUS.sub("-", as_seen(text))
    if len(text) > LONGEST:
        raise InvalidAnswer(_ENTER)
    if is_ambiguous(text):
        whole, decimal = both_readings(text)
        raise InvalidAnswer(
            _("“%(given)s” can be read in two ways. Write %(whole)s or %(decimal)s."),
            given=text,
            whole=whole,
            decimal=decimal,
        )
    if not _PLAIN.fullmatch(text):
        raise _refusal(text)
    if (count := _significant(text)) > MAX_DIGITS:
        raise InvalidAnswer(
            _("Use at most %(limit)d digits; this number has %(count)d."), limit=MAX_DIGITS, count=count
        )
    return _within_limits(Decimal(text.replace(",", ".")))


def clean_number(number: float) -> int | float:
    """A number that a program sent, as it is kept: whole ones as whole ones, others with 15 digits that count."""
    if isinstance(number, int):
        return _within_limits(number)
    if math.isnan(number):
        raise InvalidAnswer(_ENTER)
    if not -MAX_NUMBER <= number <= MAX_NUMBER:
        raise _out_of_range()
    return _within_limits(_rounded(number))


def spelled(number: float) -> str:
    """A number as `read_number` reads it: without an exponent, and never so that it could be read in two ways."""
    text = str(number) if isinstance(number, int) else format(_rounded(number), "f")
    return f"{text}0" if is_ambiguous(text) else text


def is_ambiguous(text: str) -> bool:
    """Whether what follows the point or comma may be decimals or the last three digits of a thousand."""
    return _AMBIGUOUS.fullmatch(text) is not None


def both_readings(text: str) -> tuple[str, str]:
    """How to write what is ambiguous: as a whole number, and with decimals."""
    separator = "." if "." in text else ","
    whole, _separator, decimals = text.partition(separator)
    shortest = decimals.rstrip("0")
    if len(shortest) == len(decimals):
        return whole + decimals, f"{text}0"
    return whole + decimals, f"{whole}{separator}{shortest}" if shortest else whole


def _refusal(text: str) -> InvalidAnswer:
    if found := _GROUPED.fullmatch(text):
        grouped = text[: found.start("rest")] if found["rest"] else text
        plain = found["sign"] + "".join(char for char in grouped if char.isdigit()) + (found["rest"] or "")
        return InvalidAnswer(_("Write the number without anything between the thousands: %(plain)s."), plain=plain)
    if any(char.isnumeric() and not char.isascii() for char in text):
        return InvalidAnswer(_("Write the number with the digits 0 to 9, for example 12 or 2.5."))
    return InvalidAnswer(_ENTER)


def _out_of_range() -> InvalidAnswer:
    return InvalidAnswer(_("Use a number between -%(limit)d and %(limit)d."), limit=MAX_NUMBER)


def _significant(text: str) -> int:
    whole, _separator, decimals = text.lstrip("+-").replace(",", ".").partition(".")
    digits = (whole + decimals.rstrip("0")).lstrip("0")
    return len(digits if decimals.rstrip("0") else digits.rstrip("0"))


def _rounded(number: float) -> Decimal:
    return Decimal(f"{number:.{MAX_DIGITS}g}")


def _within_limits(number: int | Decimal) -> int | float:
    if not -MAX_NUMBER <= number <= MAX_NUMBER:
        raise _out_of_range()
    if number != 0 and -LEAST < number < LEAST:
        raise InvalidAnswer(_("This number is too close to 0. Write 0."))
    return int(number) if number == int(number) else float(number)
