"""Nothing of the product takes one of a person's organisations for the one that is meant."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from django.conf import settings

PRODUCT = ("accounts", "answers", "security", "reports", "platform")
PEOPLE = {"user", "person", "me"}


def _guesses(tree: ast.AST) -> list[int]:
    """The lines that read `organisation` of a person."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr == "organisation"
        and getattr(node.value, "id", getattr(node.value, "attr", "")) in PEOPLE
    ]


def test_no_code_reads_the_organisation_that_somebody_joined_first() -> None:
    root = Path(settings.ROOT)
    modules = [path for folder in PRODUCT for path in (root / folder).rglob("*.py") if "tests" not in path.parts]
    found = {
        f"{path.relative_to(root)}:{line}" for path in modules for line in _guesses(ast.parse(path.read_text("utf-8")))
    }

    assert len(modules) > 100
    assert found == set()


def test_no_template_does() -> None:
    pages = list((Path(settings.ROOT) / "templates").rglob("*.html"))

    assert len(pages) > 20
    assert [page.name for page in pages if re.search(r"\b(user|person)\.organisation\b", page.read_text("utf-8"))] == []
