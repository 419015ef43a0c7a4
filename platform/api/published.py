"""The schema as files: what it is now, and what clients out there were promised by the last release."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from graphql import build_schema, find_breaking_changes, print_schema

from api.execution import schema

HEADER = "# Written by `make schema`. Clients generate their types from it: see docs/api.md.\n\n"


def current_file() -> Path:
    """The schema of this version."""
    return Path(settings.ROOT) / "schema.graphql"


def released_file() -> Path:
    """The schema of the last release, with which every later one of the same major version is compatible."""
    return Path(settings.ROOT) / "docs" / "schema.released.graphql"


def printed() -> str:
    """The schema as the code has it."""
    return HEADER + print_schema(schema()) + "\n"


def is_up_to_date() -> bool:
    """Whether schema.graphql says what the code does."""
    path = current_file()
    return path.exists() and path.read_text("utf-8") == printed()


def incompatible_changes() -> list[str]:
    """What would break clients of the last release, in sentences; none where there was no release yet."""
    path = released_file()
    if not path.exists():
        return []
    changes = find_breaking_changes(build_schema(path.read_text("utf-8")), build_schema(printed()))
    return [change.description for change in changes]
