"""Migrations that would break processes of the last release are found, each by what it does."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models.functions import Now

from operations import older_processes
from operations.older_processes import broken_promises


def _released() -> ProjectState:
    """The tables of the last release: shops, with a few fields."""
    state = ProjectState()
    fields: list[tuple[str, models.Field[Any, Any]]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=80)),
        ("town", models.CharField(max_length=80, null=True)),
        ("rank", models.IntegerField(db_default=0)),
    ]
    one_name = models.UniqueConstraint(fields=["name"], name="one_name")
    migrations.CreateModel("Shop", fields, {"constraints": [one_name]}).state_forwards("shops", state)
    return state


def _found(*operations: Operation, **marked: str) -> list[str]:
    migration = type("Migration", (migrations.Migration,), {"operations": [*operations], **marked})("0007_x", "shops")
    return broken_promises(migration, _released())


def _added(field: models.Field[Any, Any]) -> Operation:
    return migrations.AddField("shop", "opened", field)


def _altered(name: str, field: models.Field[Any, Any]) -> Operation:
    return migrations.AlterField("shop", name, field)


def _nothing(apps: object, editor: object) -> None: ...


@pytest.mark.parametrize(
    ("operation", "advice"),
    [
        (_added(models.IntegerField(default=0)), "Make it nullable, or give it a db_default"),
        (_added(models.CharField(max_length=9, unique=True, db_default="")), "Make it nullable, too"),
        (migrations.RemoveField("shop", "town"), "and take it away in the next"),
        (migrations.RenameField("shop", "town", "city"), "and take it away in the next"),
        (migrations.RenameModel("Shop", "Branch"), "and take it away in the next"),
        (migrations.DeleteModel("Shop"), "and take it away in the next"),
        (migrations.AlterModelTable("shop", "branches"), "and take it away in the next"),
        (migrations.AlterUniqueTogether("shop", {("name", "town")}), "and take it away in the next"),
        (migrations.RemoveConstraint("shop", "one_name"), "and take it away in the next"),
        (
            migrations.AddConstraint("shop", models.UniqueConstraint(fields=["town"], name="one_town")),
            "and add it one release later",
        ),
        (_altered("town", models.CharField(max_length=80)), "older processes may write NULL"),
        (_altered("town", models.CharField(max_length=80, db_default="")), "older processes may write NULL"),
        (_altered("name", models.CharField(max_length=80, unique=True)), "may write a value twice"),
        (_altered("name", models.CharField(max_length=40)), "may write longer values"),
        (_altered("name", models.IntegerField()), "Add another column beside it"),
        (_altered("name", models.CharField(max_length=80, db_column="title")), "Add another column beside it"),
        (_altered("rank", models.IntegerField()), "insert rows by its db_default"),
        (migrations.RunPython(_nothing), "Say in beside_older_processes why"),
        (migrations.RunSQL("DELETE FROM shops_shop"), "Say in beside_older_processes why"),
    ],
    ids=lambda each: each.describe() if isinstance(each, Operation) else "",
)
def test_what_breaks_older_processes_is_named_with_what_to_do(operation: Operation, advice: str) -> None:
    (problem,) = _found(operation)

    assert problem.startswith(f"shops.0007_x: {operation.describe()}: ")
    assert advice in problem


@pytest.mark.parametrize(
    "operation",
    [
        _added(models.IntegerField(null=True)),
        _added(models.IntegerField(null=True, unique=True)),
        _added(models.IntegerField(db_default=0)),
        _added(models.DateTimeField(db_default=Now())),
        _added(models.ManyToManyField("shops.Shop")),
        _altered("name", models.CharField("a name", max_length=120)),
        _altered("name", models.CharField(max_length=80, null=True)),
        _altered("rank", models.IntegerField(db_default=1)),
        migrations.AddIndex("shop", models.Index(fields=["town"], name="by_town")),
        migrations.AlterModelOptions("shop", {"verbose_name": "branch"}),
        migrations.CreateModel("Owner", [("id", models.BigAutoField(primary_key=True))]),
        migrations.AddField("owner", "name", models.CharField(max_length=9)),
        migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("shop", "town")]),
        # What the last release's models have no longer; its column stayed until now.
        migrations.SeparateDatabaseAndState([migrations.RemoveField("shop", "street")]),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_older_processes_do_not_notice_is_let_through(operation: Operation) -> None:
    assert _found(operation) == []


def test_each_mistake_of_a_migration_is_named_also_where_it_is_hidden_from_djangos_picture() -> None:
    hidden = migrations.SeparateDatabaseAndState([migrations.RemoveField("shop", "town")])
    assert len(_found(hidden, migrations.DeleteModel("Shop"), _added(models.IntegerField(null=True)))) == 2


def test_a_migration_may_say_why_older_processes_go_on() -> None:
    operation = migrations.RunPython(_nothing)
    assert _found(operation, beside_older_processes="they have written both forms since 0.3.0") == []
    assert _found(operation, beside_older_processes="fine") != []


def test_the_migrations_since_the_last_release_let_its_processes_go_on() -> None:
    call_command("check_migrations")


def test_the_command_names_what_does_not_and_where_to_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if nothing but the first answers had been released."""
    before = older_processes.newest() | {"answers": "0001_initial", "reports": "0002_problem"}
    monkeypatch.setattr("operations.older_processes.json.loads", lambda text: before)

    with pytest.raises(CommandError) as refusal:
        call_command("check_migrations")

    lines = str(refusal.value).splitlines()
    assert lines[0] == "Processes of the last release would break during an upgrade:"
    assert "  - answers.0003_lines: Raw Python operation: nobody can tell from outside." in str(refusal.value)
    assert lines[-1] == "If you know better, say why in the migration: beside_older_processes = ..."
    assert not any("operations." in line for line in lines[1:-1])
