"""What clients out there rely on: the schema that was released last is committed, and `make check` holds to it."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from api import published

BREAKING = {
    "a removed field": (
        '\n  """What the answers come to, and why."""\n  evaluation: Evaluation!\n',
        "\n",
        "Report.evaluation was removed.",
    ),
    "a removed value of an enum": (
        '\n  """Fewer than 25 points, or three failed gates."""\n  E\n',
        "\n",
        "E was removed from enum type Rating.",
    ),
    "an argument that became required": (
        "    organisation: ID\n",
        "    organisation: ID!\n",
        "Query.reports arg organisation has changed type from ID to ID!.",
    ),
    "a new argument that is required": (
        '  report(\n    """The id of a report."""\n    id: ID!\n  ): Report\n',
        '  report(\n    """The id of a report."""\n    id: ID!\n    edition: String!\n  ): Report\n',
        "A required arg edition on Query.report was added.",
    ),
    "an output that became nullable": (
        "  revision: Int!\n",
        "  revision: Int\n",
        "Report.revision changed type from Int! to Int.",
    ),
    "a new field of an input that is required": (
        "input StartSubmissionInput {\n",
        "input StartSubmissionInput {\n  edition: ID!\n",
        "A required field edition on input type StartSubmissionInput was added.",
    ),
}


def test_the_schema_of_today_is_compatible_with_the_one_that_was_released() -> None:
    assert published.released_file().exists()
    assert published.incompatible_changes() == []


@pytest.mark.parametrize(("old", "new", "described"), BREAKING.values(), ids=BREAKING.keys())
def test_make_check_fails_on(monkeypatch: pytest.MonkeyPatch, old: str, new: str, described: str) -> None:
    today = published.printed()
    assert old in today
    monkeypatch.setattr(published, "printed", lambda: today.replace(old, new))
    monkeypatch.setattr(published, "is_up_to_date", lambda: True)

    with pytest.raises(CommandError) as failed:
        call_command("api_schema")

    assert f"  - {described}\n" in str(failed.value)
