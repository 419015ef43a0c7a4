"""Value and note get versions, persons and times of their own; what is there has those of the whole answer."""

from typing import Any

import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def take_those_of_the_whole(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("answers", "Answer").objects.update(
        value_version=models.F("version"),
        value_by=models.F("updated_by"),
        value_at=models.F("updated_at"),
        note_version=models.F("version"),
        note_by=models.F("updated_by"),
        note_at=models.F("updated_at"),
    )


def person(words: str) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(
        null=True,
        on_delete=django.db.models.deletion.SET_NULL,
        related_name="+",
        db_index=False,
        to=settings.AUTH_USER_MODEL,
        verbose_name=words,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("answers", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="answer",
            name="version",
            field=models.PositiveIntegerField(
                default=0, help_text="Rises by one with each change of value or note.", verbose_name="version"
            ),
        ),
        migrations.AddField(
            model_name="answer",
            name="value_version",
            field=models.PositiveIntegerField(
                default=0,
                help_text="The version with which the value changed last; 0: never.",
                verbose_name="version of the value",
            ),
        ),
        migrations.AddField(
            model_name="answer",
            name="note_version",
            field=models.PositiveIntegerField(
                default=0,
                help_text="The version with which the note changed last; 0: never.",
                verbose_name="version of the note",
            ),
        ),
        migrations.AddField(model_name="answer", name="value_by", field=person("value changed by")),
        migrations.AddField(
            model_name="answer",
            name="value_at",
            field=models.DateTimeField(null=True, verbose_name="value changed"),
        ),
        migrations.AddField(model_name="answer", name="note_by", field=person("note changed by")),
        migrations.AddField(
            model_name="answer",
            name="note_at",
            field=models.DateTimeField(null=True, verbose_name="note changed"),
        ),
        migrations.RunPython(take_those_of_the_whole, migrations.RunPython.noop),
    ]
