"""docs/asvs.md has each requirement of ASVS 5.0 level 1 once, and every test that it names is there."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import pytest

from tests.embedded import ROOT

DOCUMENT = ROOT / "docs" / "asvs.md"
_OF_SECTION = {
    **{"1.2": 5, "1.3": 2, "1.5": 1},
    **{"2.1": 1, "2.2": 2, "2.3": 1},
    **{"3.2": 2, "3.3": 1, "3.4": 2, "3.5": 3},
    **{"4.1": 1, "4.4": 1},
    **{"5.2": 2, "5.3": 2},
    **{"6.1": 1, "6.2": 8, "6.3": 2, "6.4": 2},
    **{"7.2": 4, "7.4": 2},
    **{"8.1": 1, "8.2": 2, "8.3": 1},
    **{"9.1": 3, "9.2": 1},
    **{"10.4": 5},
    **{"11.3": 2, "11.4": 1},
    **{"12.1": 1, "12.2": 2},
    **{"13.4": 1},
    **{"14.2": 1, "14.3": 1},
    **{"15.1": 1, "15.2": 1, "15.3": 1},
}
"""How many requirements of level 1 each section has: its first ones, as it happens."""
LEVEL_1 = [f"{section}.{number + 1}" for section, count in _OF_SECTION.items() for number in range(count)]
"""The numbers of the requirements at level 1, as version 5.0.0 has them."""


@dataclass(frozen=True)
class Line:
    """A requirement, and what the document says of it."""

    number: str
    asks_for: str
    state: str
    says: str

    @property
    def tests(self) -> list[str]:
        return re.findall(r"`([\w/]+\.py::\w+)`", self.says)


def _lines() -> list[Line]:
    rows = re.findall(r"^\| (\d+\.\d+\.\d+) \| (.+?) \| (.+?) \| (.+) \|$", DOCUMENT.read_text(), re.MULTILINE)
    return [Line(*row) for row in rows]


def test_each_requirement_of_level_1_is_there_once() -> None:
    assert [line.number for line in _lines()] == LEVEL_1
    assert len(LEVEL_1) == 70


def test_the_totals_are_those_of_the_lines() -> None:
    totals = dict(re.findall(r"^\| (shown|does not apply|open|all) \| (\d+) \|$", DOCUMENT.read_text(), re.MULTILINE))
    counted = Counter(line.state for line in _lines())

    assert set(counted) <= {"shown", "n/a", "open"}
    assert {name: int(number) for name, number in totals.items()} == {
        "shown": counted["shown"],
        "does not apply": counted["n/a"],
        "open": counted["open"],
        "all": len(LEVEL_1),
    }


@pytest.mark.parametrize("line", _lines(), ids=lambda line: str(line.number))
def test_a_requirement_is_shown_by_tests_that_exist_or_has_a_reason(line: Line) -> None:
    for test in line.tests:
        file, name = test.split("::")
        assert re.search(rf"^\s*(?:async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE), test
    if line.state == "shown":
        assert line.tests
    else:
        assert len(line.says) >= 20 or re.match(r"as \d+\.\d+\.\d+$", line.says)
