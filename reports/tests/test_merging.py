"""Hints that come quickly are told together, and none of them is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pytest_django import Settings

from reports.merging import MOST, MergedHints, merged

ACME, CONTOSO = "acme", "contoso"


def hint(position: int, submission: str = "shop", organisation: str = ACME) -> dict[str, Any]:
    return {"type": "report.changed", "organisation": organisation, "submission": submission, "position": position}


class Line:
    """A socket's other end: what it was sent."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.came = asyncio.Event()

    async def send(self, hints: list[dict[str, Any]]) -> None:
        self.told.append(merged(hints))
        self.came.set()

    async def next(self) -> dict[str, Any]:
        await asyncio.wait_for(self.came.wait(), 5)
        self.came.clear()
        return self.told[-1]


@pytest.fixture
def line(settings: Settings) -> Line:
    settings.LIVE_MERGE_SECONDS = 0.02
    return Line()


async def test_the_first_goes_at_once_and_the_next_ones_together(line: Line) -> None:
    hints = MergedHints(line.send)
    hints.put(hint(1))
    assert await line.next() == hint(1)

    for position in (2, 3, 4):
        hints.put(hint(position))

    assert await line.next() == {**hint(4), "others": [], "positions": {ACME: [2, 3, 4]}}
    assert len(line.told) == 2


async def test_after_a_rest_the_next_one_goes_at_once(line: Line) -> None:
    hints = MergedHints(line.send)
    hints.put(hint(1))
    assert hints._telling is not None
    await hints._telling
    hints.put(hint(2))
    assert await line.next() == hint(2)
    hints.stop()


def test_each_submission_is_named_with_its_newest_whatever_order_they_came_in() -> None:
    told = merged([hint(7, "shop"), hint(5, "office"), hint(6, "office"), hint(40, "shop", CONTOSO), hint(8, "depot")])
    assert told == {
        **hint(40, "shop", CONTOSO),
        "others": [hint(6, "office"), hint(7, "shop"), hint(8, "depot")],
        "positions": {ACME: [5, 6, 7, 8], CONTOSO: [40]},
    }


def test_one_alone_stays_as_it_is_and_of_too_many_the_newest_is_left() -> None:
    assert merged([hint(1)]) == hint(1)
    assert merged([hint(n, str(n)) for n in range(MOST + 1)]) == hint(MOST, str(MOST))
