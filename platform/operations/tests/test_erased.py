"""What was erased does not come back with an older backup. tests/test_postgresql.py runs this file there, too."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts import erasure
from accounts.models import Erased, Organisation, User
from config.tests.world import World, world_of
from operations.archive.tables import rows, tables
from reports.models import Report

pytestmark = [pytest.mark.thorough, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "monday.plumbline"


@pytest.fixture
def worlds(alice: User, bob: User, charlie: User) -> tuple[World, World]:
    """Alice's, which is erased, and Charlie's, which stays."""
    return world_of(alice), world_of(charlie)


def run(command: str, *arguments: object, **options: Any) -> str:
    shown = io.StringIO()
    call_command(command, *map(str, arguments), stdout=shown, verbosity=0, **options)
    return shown.getvalue()


def everything() -> str:
    return repr([list(rows(model)) for model in tables()])


def test_a_restore_erases_again_what_an_older_backup_has(worlds: tuple[World, World], archive: Path) -> None:
    alices, charlies = worlds
    run("backup", archive)
    erasure.erase(alices.report.organisation_id)
    remembered = list(Erased.objects.order_by("pk").values_list("pk", "kind", "counts"))

    shown = run("restore", archive, "--replace", "--yes")

    assert shown.splitlines()[1] == (
        "Erased again, because it was erased after this backup was made: 1 organisations with all that they had, and "
        "0 further people."
    )
    assert alices.mark not in everything()
    assert charlies.mark in everything()
    assert list(Erased.objects.order_by("pk").values_list("pk", "kind", "counts")) == remembered
    assert Report.objects.filter(pk=charlies.report.pk).exists()


def test_a_person_who_was_erased_goes_also_where_the_backup_has_them_elsewhere(
    worlds: tuple[World, World], alice: User, charlie: User, archive: Path
) -> None:
    alices, _charlies = worlds
    elsewhere = alice.join(charlie.organisation)
    run("backup", archive)
    elsewhere.delete()
    erasure.erase(alices.report.organisation_id)

    shown = run("restore", archive, "--replace", "--yes")

    assert shown.endswith("and 1 further people.\n")
    assert list(User.objects.values_list("email", flat=True)) == ["charlie@example.org"]


def test_nothing_is_said_where_nothing_was_erased(worlds: tuple[World, World], archive: Path) -> None:
    run("backup", archive)

    assert len(run("restore", archive, "--replace", "--yes").splitlines()) == 1
    assert Organisation.objects.count() == 2


def test_no_backup_has_the_list(worlds: tuple[World, World], archive: Path) -> None:
    erasure.erase(worlds[0].report.organisation_id)
    run("backup", archive)

    with zipfile.ZipFile(archive) as entries:
        assert "tables/accounts_erased.jsonl" not in entries.namelist()
        assert "tables/accounts_user_reviewed.jsonl" in entries.namelist()


def test_a_list_of_its_own_tells_a_new_database(worlds: tuple[World, World], archive: Path, tmp_path: Path) -> None:
    alices, charlies = worlds
    listed = tmp_path / "erased.jsonl"
    run("backup", archive)
    erasure.erase(alices.report.organisation_id)
    assert run("erased", "--output", listed) == f"Wrote 3 ids to {listed}.\n"
    assert stat.S_IMODE(listed.stat().st_mode) == 0o600
    assert sorted(run("erased").splitlines()) == sorted(listed.read_text().splitlines())
    Erased.objects.all().delete()  # another database

    shown = run("restore", archive, "--replace", "--yes", "--erased", listed)

    assert "Erased again" in shown
    assert alices.mark not in everything()
    assert charlies.mark in everything()
    assert Erased.objects.count() == 3


@pytest.mark.parametrize(
    "text", ["nonsense", '{"kind": "organisation"}', '{"kind": "planet", "id": "x"}', "[]", "null"]
)
def test_a_list_that_is_none_is_refused_before_anything_changes(
    text: str, worlds: tuple[World, World], archive: Path, tmp_path: Path
) -> None:
    listed = tmp_path / "erased.jsonl"
    run("backup", archive)
    listed.write_text(text)
    before = everything()

    with pytest.raises(CommandError, match=r"Nothing was changed: .*erased\.jsonl is no list that manage\.py erased"):
        run("restore", archive, "--replace", "--yes", "--erased", listed)

    assert everything() == before


def test_a_list_is_never_overwritten_and_a_missing_one_is_told(archive: Path, tmp_path: Path) -> None:
    listed = tmp_path / "erased.jsonl"
    listed.write_text("")

    with pytest.raises(CommandError, match="exists already"):
        run("erased", "--output", listed)
    run("backup", archive)
    with pytest.raises(CommandError, match=r"missing\.jsonl can't be read"):
        run("restore", archive, "--erased", tmp_path / "missing.jsonl")
