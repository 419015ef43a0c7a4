"""`manage.py collectstatic`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.staticfiles.management.commands import collectstatic


class Command(collectstatic.Command):
    """Django's. In the production mode, where platforms run it by themselves, it says that there is nothing to do."""

    def handle(self, **options: Any) -> str | None:
        if settings.STATIC_ROOT is None:
            self.stdout.write("Nothing has to be collected: web processes serve static files from where they lie.")
            return None
        return super().handle(**options)
