"""Reports belong to lines, within which they are compared. What is there belongs to the first lines."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from contracts.lines import first_line


def put_into_first_lines(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    reports = apps.get_model("reports", "Report").objects
    pairs = reports.order_by().values_list("organisation_id", "questionnaire_slug").distinct()
    for organisation, slug in list(pairs):
        of_pair = reports.filter(organisation_id=organisation, questionnaire_slug=slug)
        of_pair.update(line=first_line(organisation, slug))


class Migration(migrations.Migration):
    dependencies = [("reports", "0002_problem")]

    operations = [
        migrations.AddField(
            model_name="report",
            name="line",
            field=models.UUIDField(null=True, help_text="Reports of one line are compared.", verbose_name="line"),
        ),
        migrations.AddField(
            model_name="report",
            name="line_name",
            field=models.CharField(
                blank=True,
                default="",
                help_text="As it was when the report was made.",
                max_length=120,
                verbose_name="name of the line",
            ),
        ),
        migrations.RunPython(put_into_first_lines, migrations.RunPython.noop),
    ]
