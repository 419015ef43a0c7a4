"""`manage.py verify FILE`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from eventbus.progress import Progress
from operations.archive.file import Unusable, opened
from operations.archive.verify import verify
from operations.privacy import is_open_to_others


class Command(BaseCommand):
    """Thin: the work is in `operations.archive`."""

    help = "Check a backup without a database: checksums, counts, and that every report follows from its answers."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a file that manage.py backup made")

    def handle(self, *args: Any, **options: Any) -> None:
        progress = Progress(sys.stderr, quiet=options["verbosity"] == 0)
        try:
            with (
                progress.interruptible("The rest was not checked. Start it again."),
                opened(options["file"]) as archive,
            ):
                found = verify(archive, progress)
        except Unusable as problem:
            raise CommandError(str(problem)) from None
        if found.differing:
            listed = ", ".join(found.differing[:10])
            raise CommandError(
                f"{len(found.differing)} reports do not follow from their answers, so somebody or something has "
                f"changed them: {listed}. Compare them with an older backup"
            )
        made = archive.manifest
        self.stdout.write(f"Whole: {found.rows:,} rows, made {made.made_at} by Plumbline {made.product}.")
        self.stdout.write(
            f"{found.recomputed:,} evaluations came out the same, byte for byte; "
            f"{found.not_recomputed:,} were not recomputed (withdrawn, another engine or an unknown questionnaire)."
        )
        if is_open_to_others(options["file"]):
            self.stderr.write(f"Others on this machine can read it. Forbid that: chmod go= {options['file']}")
