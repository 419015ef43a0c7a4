"""The blocks of code in the documentation, exactly as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"
API = DOCS / "api.md"
API_SCHEMA = DOCS / "api-schema.md"


def blocks(page: Path, language: str) -> list[str]:
    """All blocks of one language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def languages(page: Path) -> list[str]:
    """Every language that a block of the page is in, once each; empty text where it does not say so."""
    return sorted(set(re.findall(r"^```(\w*)\n.*?^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)))


def files(page: Path) -> dict[str, str]:
    """The blocks of TypeScript, by the names of their files, which stand in their first lines."""
    named = {}
    for block in blocks(page, "ts"):
        first, _rest = block.split("\n", 1)
        name = re.fullmatch(r"// (\S+\.ts)", first)
        assert name, f"a block begins without its file's name: {first}"
        named[name[1]] = block
    return named
