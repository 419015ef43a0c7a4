"""`manage.py first_administrator`: the one-time link, where `manage.py up` does not print it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from accounts.setup import create_setup_link


class Command(BaseCommand):
    """Print the link; as long as there is no administrator, each call makes a new one and ends the older ones."""

    help = "Print the one-time link by which the first administrator chooses an email address and a password."

    def handle(self, *args: Any, **options: Any) -> None:
        link = create_setup_link()
        if link is None:
            self.stdout.write("There is an administrator already, who makes others in Administration, People.")
        else:
            hours = settings.SETUP_LINK_HOURS
            self.stdout.write(f"Open this link (it works once, within {hours} hours): {settings.BASE_URL}{link}")
