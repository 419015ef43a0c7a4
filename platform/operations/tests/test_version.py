from __future__ import annotations

import re
import tomllib

from django.conf import settings

from operations import VERSION

HEADINGS = re.findall(r"^## (.+)$", (settings.ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((settings.ROOT / "pyproject.toml").read_text())

    assert project["project"]["version"] == VERSION


def test_the_changelog_begins_with_this_version_or_with_what_is_to_become_it() -> None:
    """So that no two builds with different tables have the same version for long: a refused restore names them."""
    newest, *earlier = HEADINGS
    if VERSION.endswith(".dev0"):
        assert newest == "Unreleased"
        assert earlier[0] != VERSION.removesuffix(".dev0")
    else:
        assert newest == VERSION


def test_each_release_is_newer_than_the_one_below_it() -> None:
    released = [tuple(map(int, heading.split("."))) for heading in HEADINGS if heading != "Unreleased"]

    assert released == sorted(released, reverse=True)
    assert tuple(map(int, VERSION.removesuffix(".dev0").split("."))) >= released[0]
