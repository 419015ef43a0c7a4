"""Numbers as a person reads them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from reports.numbers import show, show_fraction, show_score, show_share, show_signed


@pytest.mark.parametrize(
    ("number", "shown"),
    [(50, "50"), (8.3333, "8.3"), ("47.6190", "47.6"), (96.9072, "96.9"), (0.05, "0.1"), (None, "–")],  # noqa: RUF001
)
def test_at_most_one_decimal_is_shown(number: float | str | None, shown: str) -> None:
    assert show(number) == shown


@pytest.mark.parametrize(
    ("score", "shown"),
    [
        (89.96, "89.96"),
        (89.9999, "89.9999"),
        (74.99, "74.99"),
        (90, "90"),
        (89.94, "89.9"),
        (99.96, "99.96"),
        (0.04, "0.04"),
    ],
)
def test_a_score_is_never_rounded_over_a_border_that_it_misses(score: float, shown: str) -> None:
    assert show_score(score) == shown


@pytest.mark.parametrize(("number", "shown"), [(4.5, "+4.5"), (-4.5, "−4.5"), (0, "0"), (-0.01, "0")])  # noqa: RUF001
def test_differences_carry_their_sign(number: float, shown: str) -> None:
    assert show_signed(number) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(Fraction(1, 3), "1/3"), (Fraction(3), "3"), (Fraction(7, 10), "0.7"), (Fraction(5, 7), "5/7")]
)
def test_thirds_stay_thirds(value: Fraction, shown: str) -> None:
    assert show_fraction(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"), [(0.9167, "92%"), (0.2501, "25.01%"), (0.25, "25%"), (0.9999, "99.99%"), (1, "100%"), (0, "0%")]
)
def test_a_share_is_in_percent_and_never_rounded_to_the_whole(share: float, shown: str) -> None:
    assert show_share(share) == shown
