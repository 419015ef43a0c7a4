"""Rates as operators write them."""

from __future__ import annotations

import pytest

from throttling.rates import Rate, read


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("5/s,40", Rate(per_second=5, burst=40)),
        ("10/m", Rate(per_second=1 / 6, burst=10)),
        ("7200/h,3", Rate(per_second=2, burst=3)),
        ("off", None),
    ],
)
def test_a_rate_is_a_number_a_time_and_what_the_bucket_holds(text: str, rate: Rate | None) -> None:
    assert read(text) == rate


@pytest.mark.parametrize("text", ["", "5", "5/d", "0/s", "5/s,0", "-5/s", "5/s, 40", "5 / s", "5/s,", "1e3/s"])
def test_what_is_no_rate_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="as in 10/m"):
        read(text)


def test_an_empty_bucket_says_when_it_is_full() -> None:
    assert Rate(per_second=5, burst=40).seconds == 8
