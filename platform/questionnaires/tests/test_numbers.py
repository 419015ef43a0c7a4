"""Numbers are read as people write them, and nothing is guessed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questionnaires.numbers import clean_number, is_ambiguous, read_number, spelled
from questionnaires.refusals import InvalidAnswer

ENTER = "Enter a number, for example 12 or 2.5."
DIGITS = "Write the number with the digits 0 to 9, for example 12 or 2.5."
RANGE = "Use a number between -1000000000000000 and 1000000000000000."
UNGROUPED = "Write the number without anything between the thousands: "


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("0", 0),
        ("12", 12),
        ("+12", 12),
        ("-12", -12),
        ("\N{MINUS SIGN}12", -12),
        ("\N{EN DASH}12", -12),
        ("\N{NON-BREAKING HYPHEN}12", -12),
        ("\u200e12\u200b", 12),
        ("\x001\u20602\x0b", 12),
        ("007", 7),
        (" 12 ", 12),
        ("2.5", 2.5),
        ("2,5", 2.5),
        ("-2,50", -2.5),
        (".5", 0.5),
        ("5,", 5),
        ("1.0", 1),
        ("1000", 1000),
        ("1000.5", 1000.5),
        ("1234.567", 1234.567),
        ("0.125", 0.125),
        ("0,125", 0.125),
        ("1.0000", 1),
        ("1,1250", 1.125),
        ("-0", 0),
        ("-0.0", 0),
        ("999999999999999", 999_999_999_999_999),
        ("1000000000000000", 10**15),
        ("0.000000000000001", 1e-15),
    ],
)
def test_what_a_customer_writes_is_read(written: str, number: float) -> None:
    found = read_number(written)
    assert (found, type(found), math.copysign(1, found)) == (number, type(number), math.copysign(1, number))


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("1.000", "“1.000” can be read in two ways. Write 1000 or 1."),
        ("1,000", "“1,000” can be read in two ways. Write 1000 or 1."),
        ("-1.500", "“-1.500” can be read in two ways. Write -1500 or -1.5."),
        ("12,125", "“12,125” can be read in two ways. Write 12125 or 12,1250."),
        ("1.000.000", UNGROUPED + "1000000."),
        ("1,000,000", UNGROUPED + "1000000."),
        ("1,000.50", UNGROUPED + "1000.50."),
        ("1.000,50", UNGROUPED + "1000,50."),
        ("1 000", UNGROUPED + "1000."),
        ("1\N{NO-BREAK SPACE}000", UNGROUPED + "1000."),
        ("1\N{NARROW NO-BREAK SPACE}000,5", UNGROUPED + "1000,5."),
        ("-1'000", UNGROUPED + "-1000."),
        ("1\N{RIGHT SINGLE QUOTATION MARK}000", UNGROUPED + "1000."),
        ("1_000", UNGROUPED + "1000."),
        ("1,00,000", UNGROUPED + "100000."),
        ("1.000.50", ENTER),
        ("1e3", ENTER),
        ("1E3", ENTER),
        ("nan", ENTER),
        ("inf", ENTER),
        ("-Infinity", ENTER),
        ("0x10", ENTER),
        ("True", ENTER),
        ("1/2", ENTER),
        ("12 people", ENTER),
        ("- 5", ENTER),
        ("--5", ENTER),
        ("1,2,3", ENTER),
        ("12\N{EN DASH}15", ENTER),
        ("31.05.2026", ENTER),
        ("", ENTER),
        (".", ENTER),
        ("-", ENTER),
        ("٣", DIGITS),
        ("\uff11\uff12", DIGITS),
        ("½", DIGITS),
        ("5²", DIGITS),
        ("1000000000000001", "Use at most 15 digits; this number has 16."),
        ("0.1234567890123456", "Use at most 15 digits; this number has 16."),
        ("9000000000000000", RANGE),
        ("-9000000000000000", RANGE),
        ("1" + "0" * 98, RANGE),
        ("1" * 101, ENTER),
        ("0.0000000000000001", "This number is too close to 0. Write 0."),
    ],
)
def test_what_could_be_misread_is_refused_with_what_to_write(written: str, told: str) -> None:
    with pytest.raises(InvalidAnswer) as refused:
        read_number(written)
    assert str(refused.value) == told


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (1, 1),
        (1.0, 1),
        (1e3, 1000),
        (-0.0, 0),
        (2.5, 2.5),
        (0.1 + 0.2, 0.3),
        (1 / 81, 0.0123456790123457),
        (1e15, 10**15),
    ],
)
def test_what_a_program_sends_is_a_number_with_fifteen_digits(sent: float, kept: float) -> None:
    found = clean_number(sent)
    assert (found, type(found)) == (kept, type(kept))


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (math.nan, ENTER),
        (math.inf, RANGE),
        (-math.inf, RANGE),
        (10**400, RANGE),
        (1e300, RANGE),
        (10**15 + 1, RANGE),
        (1e15 + 1, RANGE),
    ],
)
def test_what_no_answer_can_be_is_refused_from_a_program_too(sent: float, told: str) -> None:
    with pytest.raises(InvalidAnswer) as refused:
        clean_number(sent)
    assert str(refused.value) == told


def test_the_least_number_apart_from_0_is_said() -> None:
    with pytest.raises(InvalidAnswer, match="too close to 0"):
        clean_number(5e-324)


@pytest.mark.parametrize(
    ("number", "text"),
    [(12, "12"), (-2.5, "-2.5"), (1e-07, "0.0000001"), (1.125, "1.1250"), (12.25, "12.25"), (0, "0")],
)
def test_a_number_is_spelled_without_exponent_and_so_that_it_has_one_reading(number: float, text: str) -> None:
    assert spelled(number) == text


@given(st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15).filter(lambda number: not 0 < abs(number) < 1e-15))
def test_what_is_spelled_is_read_as_the_same(number: float) -> None:
    kept = clean_number(number)
    assert not is_ambiguous(spelled(kept))
    assert read_number(spelled(kept)) == kept


@given(st.from_regex(r"[-+]?[0-9]{1,4}([.,' _][0-9]{2,4}){0,3}", fullmatch=True))
def test_what_a_refusal_says_to_write_can_be_written(written: str) -> None:
    try:
        read_number(written)
    except InvalidAnswer as refused:
        for name in ("plain", "whole", "decimal"):
            if name in refused.params:
                read_number(str(refused.params[name]))


@given(st.text())
def test_any_text_is_read_or_refused(written: str) -> None:
    try:
        number = read_number(written)
    except InvalidAnswer:
        return
    assert read_number(spelled(number)) == number
