"""The page on reliability names every fault there is."""

from __future__ import annotations

import re
from pathlib import Path

from tests.faults.nemesis.catalogue import FAULTS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reliability.md"


def test_every_fault_is_described_and_measured() -> None:
    text = PAGE.read_text()
    described = re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| (?:both|the product) \|$", text, re.MULTILINE)
    measured = re.findall(r"^\| ([a-z-]+) +\| product +\|", text, re.MULTILINE)
    assert described == list(FAULTS)
    assert sorted(measured) == sorted(FAULTS)
