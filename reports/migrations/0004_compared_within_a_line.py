# A migration of its own, for PostgreSQL changes no table that has just been written to in the same transaction.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reports", "0003_lines")]

    operations = [
        migrations.AlterField(
            model_name="report",
            name="line",
            field=models.UUIDField(help_text="Reports of one line are compared.", verbose_name="line"),
        ),
        migrations.AlterField(
            model_name="report",
            name="line_name",
            field=models.CharField(
                blank=True,
                help_text="As it was when the report was made.",
                max_length=120,
                verbose_name="name of the line",
            ),
        ),
        migrations.RemoveIndex(model_name="report", name="reports_finals_of_line"),
        migrations.AddIndex(
            model_name="report",
            index=models.Index(
                fields=("organisation", "line", "-position"),
                condition=models.Q(provisional=False),
                name="reports_finals_of_line",
            ),
        ),
    ]
