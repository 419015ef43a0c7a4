"""`manage.py restore FILE`."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from eventbus.progress import Progress
from operations.archive.erased import read
from operations.archive.file import Reader, Unusable, opened
from operations.archive.restore import NotEmpty, contents, fits, is_known, put_secret_key, restore
from operations.archive.upgrade import restore_older
from operations.archive.verify import verify
from securitylog import Kind, note, operator

CONFIRMATION = "replace everything"
_HOW_TO_GO_ON = {
    False: "Restore into an empty one, or throw that away with --replace",
    True: "If that is what an earlier --upgrade had put in before it was ended, manage.py migrate goes on with it, but "
    "without --erased; else give it a new database",
}
"""By whether it upgrades."""


class Command(BaseCommand):
    """Thin: the work is in `operations.archive`."""

    help = "Fill an empty database, SQLite or PostgreSQL, from a backup: all of it or nothing."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a file that manage.py backup made")
        parser.add_argument("--replace", action="store_true", help="throw away what the database holds now")
        parser.add_argument("--yes", action="store_true", help="don't ask before throwing it away")
        parser.add_argument(
            "--upgrade",
            action="store_true",
            help="fill a database that has no tables yet from a backup of an older version, and bring it forward",
        )
        parser.add_argument(
            "--with-secret-key", action="store_true", help="write the backup's secret key to the data folder, too"
        )

        parser.add_argument(
            "--erased",
            type=Path,
            metavar="FILE",
            help="a list that manage.py erased wrote, where the database that knew it is lost",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        progress = Progress(sys.stderr, quiet=options["verbosity"] == 0)
        upgrade = options["upgrade"]
        if upgrade and options["replace"]:
            raise CommandError("--upgrade fills a database that has no tables yet: leave --replace out.")
        again = "Start it again: it goes on where it was." if upgrade else "Nothing was changed. Start it again."
        try:
            with (
                progress.interruptible(again),
                opened(options["file"]) as archive,
                ExitStack() as to_the_end,
            ):
                if options["with_secret_key"] and not archive.manifest.has_secret_key:
                    raise Unusable("it has no secret key in it. Leave --with-secret-key out")
                (is_known if upgrade else fits)(archive.manifest)
                if options["replace"] and not options["yes"]:
                    self._ask()
                listed = read(options["erased"]) if options["erased"] else []
                verify(archive, progress)  # the whole file first, before anything is thrown away

                def commits() -> None:
                    to_the_end.enter_context(_without_interruption())

                if upgrade:
                    gone = restore_older(archive, progress, self.stdout.write, erased=listed, before_commit=commits)
                else:
                    gone = restore(archive, progress, replace=options["replace"], erased=listed, before_commit=commits)
                note(Kind.RESTORED, by=operator(), replaced="yes" if options["replace"] else "no")
                if options["with_secret_key"]:
                    self._put_secret_key(archive)
                self.stdout.write(
                    f"Restored {sum(t.rows for t in archive.manifest.tables.values()):,} rows. Sign in again."
                )
                self._tell_of_erased(*gone)
        except Unusable as problem:
            raise CommandError(f"Nothing was changed: {problem}") from None
        except NotEmpty as held:
            raise CommandError(f"Nothing was changed: the database holds {held}. {_HOW_TO_GO_ON[upgrade]}") from None

    def _tell_of_erased(self, organisations: int, people: int) -> None:
        if organisations or people:
            self.stdout.write(
                f"Erased again, because it was erased after this backup was made: {organisations:,} "
                f"organisations with all that they had, and {people:,} further people."
            )

    def _ask(self) -> None:
        held = ", ".join(f"{count:,} {name}" for name, count in contents().items())
        if not held:
            return
        self.stdout.write(f"This throws away what the database holds: {held}.")
        try:
            typed = input(f'Type "{CONFIRMATION}" to go on: ')
        except EOFError:
            raise CommandError("Nothing was changed: nobody is there to confirm it. Add --yes") from None
        if typed.strip() != CONFIRMATION:
            raise CommandError("Nothing was changed.")

    def _put_secret_key(self, archive: Reader) -> None:
        path = settings.DATA_DIR / "secret_key"
        if not put_secret_key(archive.secret_key() or "", path):
            self.stderr.write(
                f"{path} holds another key and stays. To use the backup's, move that file away and restore once more."
            )


@contextmanager
def _without_interruption() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM come too late: nobody could say whether a commit that they cut off took place."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
