"""Lines: each submission belongs to one. What is there goes into the first line of its organisation and questionnaire."""

import uuid

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from contracts.lines import first_line


def make_first_lines(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    submissions = apps.get_model("answers", "Submission").objects
    lines = apps.get_model("answers", "Line").objects
    pairs = (
        submissions.values("organisation_id", "questionnaire_slug").order_by().annotate(since=models.Min("created_at"))
    )
    for pair in list(pairs):
        organisation, slug = pair["organisation_id"], pair["questionnaire_slug"]
        line = lines.create(pk=first_line(organisation, slug), organisation_id=organisation, questionnaire_slug=slug)
        lines.filter(pk=line.pk).update(created_at=pair["since"])
        submissions.filter(organisation_id=organisation, questionnaire_slug=slug).update(line=line)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("answers", "0002_parts_of_an_answer"),
    ]

    operations = [
        migrations.CreateModel(
            name="Line",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("questionnaire_slug", models.CharField(max_length=64, verbose_name="questionnaire")),
                ("name", models.CharField(blank=True, max_length=120, verbose_name="name")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="started")),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="accounts.organisation",
                        verbose_name="organisation",
                    ),
                ),
            ],
            options={"verbose_name": "line", "verbose_name_plural": "lines"},
        ),
        migrations.AddConstraint(
            model_name="line",
            constraint=models.UniqueConstraint(
                fields=("organisation", "questionnaire_slug", "name"), name="one_line_of_a_name"
            ),
        ),
        migrations.AddField(
            model_name="submission",
            name="line",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="submissions",
                to="answers.line",
                verbose_name="line",
            ),
        ),
        migrations.RunPython(make_first_lines, migrations.RunPython.noop),
    ]
