"""schema.graphql says what the code does, and what was released goes on working."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

pytestmark = pytest.mark.usefixtures("small_schema")


@pytest.fixture(autouse=True)
def root(settings: Settings, tmp_path: Path) -> Path:
    """An installation of its own."""
    settings.ROOT = tmp_path
    (tmp_path / "docs").mkdir()
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_what_was_written_passes(root: Path) -> None:
    call_command("api_schema", "--write")
    call_command("api_schema")

    assert "\n  email: String!\n" in (root / "schema.graphql").read_text()
    assert '"""Whoever asks."""' in (root / "schema.graphql").read_text()


def test_a_missing_file_fails() -> None:
    with pytest.raises(CommandError, match="make schema"):
        call_command("api_schema")


def test_drift_fails_until_it_is_written(root: Path) -> None:
    call_command("api_schema", "--write")
    change(root / "schema.graphql", "Whoever asks.", "Somebody.")

    with pytest.raises(CommandError, match="make schema"):
        call_command("api_schema")
    with pytest.raises(CommandError, match="make schema"):
        call_command("api_schema", "--release")
    call_command("api_schema", "--write")
    call_command("api_schema")


@pytest.mark.parametrize(
    ("old", "new", "described"),
    [
        ("  refused: String\n", "  refused: String\n  gone: Int\n", "Query.gone was removed."),
        ("  refused: String\n", "  refused: Int\n", "Query.refused changed type from Int to String."),
        ("  secret: String\n", "  secret: String!\n", "Query.secret changed type from String! to String."),
        ("echo(text: String!)", "echo", "A required arg text on Query.echo was added."),
        ("echo(text: String!)", "echo(text: String!, more: Int)", "Query.echo arg more was removed."),
    ],
)
def test_what_breaks_clients_of_the_last_release_fails_even_when_written(
    root: Path, old: str, new: str, described: str
) -> None:
    call_command("api_schema", "--write")
    call_command("api_schema", "--release")
    change(root / "docs" / "schema.released.graphql", old, new)

    for arguments in ([], ["--write"]):
        with pytest.raises(CommandError) as failed:
            call_command("api_schema", *arguments)
        assert f"  - {described}\n" in str(failed.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [("  refused: String\n", ""), ("echo(text: String!): String!", "echo(text: String!): String"), ("Whoever", "Who")],
)
def test_what_clients_of_the_last_release_do_not_mind_passes(root: Path, old: str, new: str) -> None:
    call_command("api_schema", "--write")
    call_command("api_schema", "--release")
    change(root / "docs" / "schema.released.graphql", old, new)

    call_command("api_schema")


def test_a_release_makes_the_schema_of_today_the_promise(root: Path) -> None:
    (root / "docs" / "schema.released.graphql").write_text("type Query { old: Int }")

    call_command("api_schema", "--write", "--release")

    assert (root / "docs" / "schema.released.graphql").read_text() == (root / "schema.graphql").read_text()
