from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("operations", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="workerprocess",
            name="version",
            field=models.CharField(db_default="", default="", max_length=40, verbose_name="version"),
        ),
    ]
