# A migration of its own, for PostgreSQL changes no table that has just been written to in the same transaction.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("answers", "0003_lines")]

    operations = [
        migrations.AlterField(
            model_name="submission",
            name="line",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="submissions",
                to="answers.line",
                verbose_name="line",
            ),
        ),
    ]
