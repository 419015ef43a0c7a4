"""`manage.py erased`."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from operations.archive import erased
from operations.archive.file import Unusable


class Command(BaseCommand):
    """Thin: the work is in `operations.archive.erased`."""

    help = "List the ids of what was erased. Keep the file apart from backups: restore --erased FILE takes it."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", type=Path, metavar="FILE", help="write them to this new file")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["output"] is None:
            self.stdout.writelines(f"{line}\n" for line in erased.lines())
            return
        try:
            count = erased.write(options["output"])
        except Unusable as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(f"Wrote {count:,} ids to {options['output']}.")
