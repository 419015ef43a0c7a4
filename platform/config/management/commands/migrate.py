"""`manage.py migrate`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connection
from django.db.models.signals import pre_migrate

from config.waiting import wait_for_database
from operations import privacy, upgrading


class Command(migrate.Command):
    """Django's, with three things before it.

    On a new machine it makes the data folder and an empty file before anything is checked: SQLite makes no folder, and
    a file that others may read. With --wait it gives a database that is starting some time, as after a reboot. And it
    refuses an upgrade that running workers of the version before could not live with.
    """

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)  # type: ignore[arg-type]
        parser.add_argument(
            "--workers-are-stopped",
            action="store_true",
            help="do not look for heartbeats: you know that no worker runs, also where one was heard just now",
        )

        parser.add_argument(
            "--wait",
            type=float,
            default=0.0,
            metavar="SECONDS",
            help="wait for a database that does not answer yet, at most so long, and say so every few seconds",
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        if connection.vendor == "sqlite":
            settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
            privacy.make_database()
        wait_for_database(options.get("wait", 0.0), self.stderr.write)
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> str | None:
        if options["workers_are_stopped"]:
            return super().handle(*args, **options)
        # Django tells the plan here, once it is sure to carry it out: not with --plan or --check.
        pre_migrate.connect(_refuse_while_workers_run, dispatch_uid=__name__)
        try:
            return super().handle(*args, **options)
        finally:
            pre_migrate.disconnect(dispatch_uid=__name__)


def _refuse_while_workers_run(plan: Any, **kwargs: Any) -> None:
    if workers := upgrading.workers_in_the_way(plan):
        raise CommandError(
            f"Workers of the version before are running: {', '.join(workers)}. They would give up what this version "
            "publishes, so this one upgrade is made while everything is stopped. Nothing was changed. Stop all workers "
            f"and web servers, wait {upgrading.SILENT_AFTER:.0f} seconds, and run this again. If you know that they "
            "are stopped, you need not wait: manage.py migrate --workers-are-stopped"
        )
