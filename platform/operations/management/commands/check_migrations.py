"""`manage.py check_migrations`: for developers."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from operations import older_processes


class Command(BaseCommand):
    """Thin: the rules are in `operations.older_processes`."""

    help = "Check that processes of the last release go on beside the migrations that came since."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--release", action="store_true", help="take all migrations for released")

    def handle(self, *args: Any, **options: Any) -> None:
        if found := older_processes.problems():
            listed = "\n".join(f"  - {each}" for each in found)
            raise CommandError(
                f"Processes of the last release would break during an upgrade:\n{listed}\n"
                f"If you know better, say why in the migration: {older_processes.MARKER} = ..."
            )
        if options["release"]:
            text = json.dumps(older_processes.newest(), indent=1)
            older_processes.released_file().write_text(text + "\n")
