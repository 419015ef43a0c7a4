"""Texts that people write or paste are cleaned of what they can't see."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questionnaires.refusals import InvalidAnswer
from questionnaires.texts import clean_name, clean_text, is_readable

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    "line_break", ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"], ids=lambda each: each.encode().hex()
)
def test_every_line_break_becomes_the_same(line_break: str) -> None:
    assert clean_text(f"one{line_break}two", limit=7) == "one\ntwo"
    assert clean_name(f"one{line_break}two") == "one two"


@pytest.mark.parametrize(
    "unseen",
    [
        "\x00",
        "\x07",
        "\x1b",
        "\x1f",
        "\x7f",
        "\x9f",
        "\ud83d",
        "\u202e",
        "\u2066",
        "\u2069",
        "\ufffe",
        "\ufffc",
    ],
    ids=ascii,
)
def test_what_nobody_types_is_taken_out(unseen: str) -> None:
    assert clean_text(f"on{unseen}e", limit=3) == "one"
    assert clean_name(f"on{unseen}e") == "one"


@pytest.mark.parametrize(
    "text",
    [
        "a\tb",
        "e\u0301",
        "\ufa10",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "👩\u200d🔧 fixed it",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "wie\u00adder",
        "\u05d0!\u200f",
    ],
    ids=ascii,
)
def test_what_means_something_stays_as_it_was_typed(text: str) -> None:
    assert clean_text(text, limit=20) == text


@pytest.mark.parametrize(
    "blank", ["", " ", "\u200b", "\u3000\u200b \ufeff", "\u3164", "\u2800", "\ufe0f", "\u200f", "\x00"], ids=ascii
)
def test_a_text_without_anything_to_see_is_empty(blank: str) -> None:
    assert clean_text(blank, limit=0) == ""
    assert clean_name(blank) == ""


def test_invisible_characters_at_the_ends_go_and_within_they_stay() -> None:
    assert clean_text("\ufeffexample\u200b.org\u200b \n", limit=12) == "example\u200b.org"


def test_a_name_stands_on_one_line() -> None:
    assert clean_name("  Bakery\t Ltd\r\n\r\nVienna ") == "Bakery Ltd Vienna"


@pytest.mark.parametrize("text", ["x" * 5, "é" * 5, "👍" * 5, "a\r\nb\r\nc", "  abcde  "], ids=ascii)
def test_a_limit_counts_characters_as_people_do_and_a_line_break_once(text: str) -> None:
    assert len(clean_text(text, limit=5)) == 5
    with pytest.raises(InvalidAnswer) as refused:
        clean_text(text, limit=3)
    assert str(refused.value) == "This text is 5 characters long, and 3 can be kept. Shorten it by 2."


def test_the_note_is_named_in_its_refusal() -> None:
    with pytest.raises(InvalidAnswer) as refused:
        clean_text("x" * 4_001, limit=4_000, what="note")
    assert str(refused.value) == "The note is 4001 characters long, and 4000 can be kept. Shorten it by 1."


@given(ANY_TEXT)
def test_cleaning_again_changes_nothing_and_leaves_nothing_that_no_database_keeps(text: str) -> None:
    for cleaned, clean in (
        (clean_text(text, limit=10**6), lambda t: clean_text(t, limit=10**6)),
        (clean_name(text), clean_name),
    ):
        assert clean(cleaned) == cleaned
        assert not {unicodedata.category(char) for char in cleaned if char not in "\n\t"} & {"Cc", "Cs", "Zl", "Zp"}


@given(ANY_TEXT)
def test_what_can_be_read_before_cleaning_can_be_read_after(text: str) -> None:
    assert is_readable(clean_text(text, limit=10**6)) == is_readable(text)
