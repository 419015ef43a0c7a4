from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Definition",
            fields=[
                (
                    "digest",
                    models.CharField(
                        editable=False, max_length=64, primary_key=True, serialize=False, verbose_name="digest"
                    ),
                ),
                ("slug", models.CharField(db_index=True, max_length=64, verbose_name="line")),
                ("version", models.CharField(max_length=32, verbose_name="version")),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("body", models.JSONField(verbose_name="definition")),
                ("built_in", models.BooleanField(default=False, verbose_name="built in")),
                (
                    "offered",
                    models.BooleanField(
                        default=False,
                        help_text="Whether people can start it; at most one edition of each line.",
                        verbose_name="offered",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="stored")),
            ],
            options={
                "verbose_name": "questionnaire",
                "verbose_name_plural": "questionnaires",
                "ordering": ("title", "-created_at"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("offered", True)), fields=("slug",), name="one_offered_edition_a_line"
                    ),
                ],
            },
        ),
    ]
