"""A wait as people read it."""

from __future__ import annotations

import pytest

from throttling.words import in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (59, "59 seconds"), (60, "1 minute"), (90, "90 seconds"), (91, "2 minutes"), (300, "5 minutes")],
)
def test_a_wait_is_told_in_seconds_or_minutes_and_never_too_short(seconds: int, words: str) -> None:
    assert in_words(seconds) == words
