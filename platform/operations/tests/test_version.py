from __future__ import annotations

import tomllib

from django.conf import settings

from operations import VERSION


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((settings.ROOT / "pyproject.toml").read_text())

    assert project["project"]["version"] == VERSION
