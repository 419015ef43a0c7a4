from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("eventbus", "0003_moments")]

    operations = [
        migrations.RemoveIndex(model_name="delivery", name="delivery_due_idx"),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index("subscriber", "due_at", "id", condition=Q(status="ready"), name="delivery_due_idx"),
        ),
    ]
