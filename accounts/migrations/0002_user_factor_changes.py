from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="factor_changes",
            field=models.PositiveIntegerField(
                default=0,
                editable=False,
                help_text="How often the second factor was switched on or off; ends older sessions.",
            ),
        ),
    ]
