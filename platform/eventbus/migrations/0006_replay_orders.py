from __future__ import annotations

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import F, Q
from django.db.models.functions import Coalesce


def close_earlier_orders(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Nobody goes on with what the earlier versions began: one that was interrupted has made all that it will."""
    apps.get_model("eventbus", "Replay").objects.update(
        expected=F("deliveries"), finished_at=Coalesce("finished_at", "started_at")
    )


class Migration(migrations.Migration):
    dependencies = [("eventbus", "0005_replay_token")]

    operations = [
        migrations.AddField(
            model_name="replay",
            name="expected",
            field=models.PositiveIntegerField(db_default=0, default=0, verbose_name="deliveries ordered"),
        ),
        migrations.AddField(
            model_name="replay",
            name="cancelled_by",
            field=models.CharField(blank=True, db_default="", default="", max_length=254, verbose_name="cancelled by"),
        ),
        migrations.AddField(
            model_name="replay",
            name="cancelled_at",
            field=models.DateTimeField(null=True, verbose_name="cancelled"),
        ),
        migrations.AddField(
            model_name="replay",
            name="cancelled",
            field=models.PositiveIntegerField(db_default=0, default=0, verbose_name="deliveries cancelled"),
        ),
        migrations.AddField(
            model_name="replay",
            name="ended_at",
            field=models.DateTimeField(null=True, verbose_name="all cancelled"),
        ),
        migrations.AddField(
            model_name="replay",
            name="newest",
            field=models.BigIntegerField(
                db_default=0, default=0, editable=False, help_text="Position of the last event that it is about."
            ),
        ),
        migrations.AddField(
            model_name="replay",
            name="next_subscriber",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=100),
        ),
        migrations.AddField(
            model_name="replay",
            name="position",
            field=models.BigIntegerField(
                db_default=0, default=0, editable=False, help_text="Of the last event that is made for that subscriber."
            ),
        ),
        migrations.AddField(
            model_name="replay",
            name="next_due_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="replay",
            name="deliveries",
            field=models.PositiveIntegerField(default=0, verbose_name="deliveries made"),
        ),
        migrations.RunPython(close_earlier_orders, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                "generation",
                "id",
                condition=Q(finished_at__isnull=True, generation__gt=0),
                name="delivery_replay_idx",
            ),
        ),
    ]
