"""Domains outside ASCII were kept as they were typed, beside their ASCII form: one person could be two."""

import unicodedata
from typing import Any

from django.db import migrations


def _in_ascii(address: str) -> str:
    mailbox, at, domain = address.rpartition("@")
    labels = unicodedata.normalize("NFKC", domain).lower().split(".")
    encoded = (label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in labels)
    return f"{mailbox}{at}{'.'.join(encoded)}"


def keep_in_ascii(apps: Any, schema_editor: Any) -> None:
    """Change each address whose ASCII form nobody else has; the others stay, and go on not being found."""
    for model, among in (
        (apps.get_model("accounts", "User"), ()),
        (apps.get_model("account", "EmailAddress"), ("user_id",)),
    ):
        for row in model.objects.all().iterator():
            wanted = row.email if row.email.isascii() else _in_ascii(row.email)
            same = {name: getattr(row, name) for name in among}
            if wanted != row.email and not model.objects.filter(email=wanted, **same).exists():
                model.objects.filter(pk=row.pk).update(email=wanted)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_user_factor_changes"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]

    operations = [migrations.RunPython(keep_in_ascii, migrations.RunPython.noop)]
