"""What docs/api.md says of numbers and codes is so. (tests/test_api_documentation.py executes its blocks.)"""

from __future__ import annotations

import re

from api import limits, messages
from api.tests.servers import ROOT

TEXT = (ROOT / "docs" / "api.md").read_text() + (ROOT / "docs" / "api-schema.md").read_text()


def test_every_limit_stands_there_with_its_default() -> None:
    stated = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", TEXT, re.MULTILINE))

    assert {name: int(number.replace(",", "")) for name, number in stated.items()} == vars(limits.current())


def test_every_close_code_stands_there() -> None:
    codes = {value for value in vars(messages).values() if isinstance(value, int) and value >= 1000}

    assert codes <= {int(code) for code in re.findall(r"^\| (\d{4}) \|", TEXT, re.MULTILINE)}


def test_every_code_of_an_error_stands_there() -> None:
    sources = [path.read_text() for path in (ROOT / "platform" / "api").glob("*.py")]
    codes = {code for source in sources for code in re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', source)}
    codes -= {"HTTP_X_FORWARDED_PROTO", "SCHEMA"}

    assert codes
    assert {code for code in codes if f"`{code}`" not in TEXT} == set()
