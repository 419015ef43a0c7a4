"""`manage.py backup FILE`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from eventbus.progress import Progress
from operations.archive.backup import back_up
from operations.archive.file import Unusable, left_behind
from securitylog import Kind, note, operator


class Command(BaseCommand):
    """Thin: the work is in `operations.archive`."""

    help = "Write everything to one file, from SQLite or PostgreSQL, while Plumbline runs. Only its owner can read it."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the file to make; one that exists is never overwritten")
        parser.add_argument(
            "--with-secret-key",
            action="store_true",
            help="put the key that signs sessions into it, too: whoever has the file can then forge them",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        progress = Progress(sys.stderr, quiet=options["verbosity"] == 0)
        try:
            with progress.interruptible("No file was made. Start it again."):
                manifest = back_up(options["file"], progress, with_secret_key=options["with_secret_key"])
        except Unusable as problem:
            raise CommandError(str(problem)) from None
        note(Kind.BACKUP_MADE, by=operator(), secret_key="yes" if options["with_secret_key"] else "no")
        rows = sum(table.rows for table in manifest.tables.values())
        size = options["file"].stat().st_size
        self.stdout.write(f"Backed up {rows:,} rows to {options['file']} ({size:,} bytes).")
        self.stdout.write(f"Check it with: manage.py verify {options['file']}")
        for part in left_behind(options["file"].parent):
            self.stderr.write(f"{part} was left by a backup that was killed. Delete it.")
