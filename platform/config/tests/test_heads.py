"""How many handshakes wait for a place."""

from __future__ import annotations

from collections import Counter

import pytest

from config import heads


@pytest.fixture(autouse=True)
def _few_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads.files, "limits", lambda: (1_024, 4_096))
    monkeypatch.setattr(heads, "_paused", Counter())


def test_they_may_have_a_quarter_of_the_open_files() -> None:
    heads._paused.update(dict.fromkeys(range(255), 1))
    assert not heads._is_full("192.0.2.1")

    heads._paused["another"] += 1

    assert heads._is_full("192.0.2.1")


def test_one_origin_may_have_half_of_that() -> None:
    heads._paused["192.0.2.1"] = 127
    assert not heads._is_full("192.0.2.1")

    heads._paused["192.0.2.1"] += 1

    assert heads._is_full("192.0.2.1")
    assert not heads._is_full("192.0.2.2")
