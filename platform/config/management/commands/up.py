"""`manage.py up`: the whole product in one process."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack
from io import StringIO
from types import FrameType
from typing import IO, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from accounts.setup import create_setup_link
from config.celery import app
from config.embedded import data_folder, surroundings
from config.embedded.server import serve
from config.embedded.worker import EmbeddedWorker, WorkerError
from eventbus.sweeper import Sweeper, expire_leases


class Command(BaseCommand):
    """Check the surroundings, prepare the data folder, start web server, worker and sweeper, and wait."""

    help = "Start Plumbline: web server, worker and sweeper in one process. PORT, HOST and DATA_DIR are honoured."
    requires_system_checks = ()  # they run once the secret key is there, which the first start makes

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError(
                "`up` runs everything in one process, but DATABASE_URL and REDIS_URL are set. Start the processes that "
                "the Procfile lists (deploy/run web, deploy/run worker), or leave both out."
            )
        signal.signal(signal.SIGTERM, _leave)
        os.umask(0o077)  # what is written from here on is somebody's answers and secrets
        try:
            with ExitStack() as stack:
                finished = self._run(stack)
        except (surroundings.Unfit, WorkerError) as problem:
            raise CommandError(f"Plumbline can't start: {problem}") from None
        except KeyboardInterrupt:
            finished = True
        self.stdout.write("Stopped.")
        if not finished:
            # A stuck task's thread would keep the process from ending; its delivery is taken up at the next start.
            sys.stdout.flush()
            os._exit(0)

    def _run(self, stack: ExitStack) -> bool:
        """Prepare, start, serve until told to stop, and stop in the reverse order; False when a task is stuck."""
        surroundings.check_versions()
        surroundings.prepare_folder(settings.DATA_DIR)
        stack.enter_context(_claimed_folder())
        listener = stack.enter_context(surroundings.listen(settings.HOST, settings.PORT))
        link = self._prepare_data()
        worker, sweeper = EmbeddedWorker(app, settings.WORKER_THREADS), Sweeper()
        worker.start()
        sweeper.start()
        try:
            serve(listener, on_started=lambda: self._greet(link))
        finally:
            self.stdout.write("Stopping ...")
            sweeper.stop()
            finished = worker.stop()
        return finished

    def _prepare_data(self) -> str | None:
        """Bring key, tables and questionnaires up to date; gives the path of the administrator's link, if due."""
        settings.SECRET_KEY = os.environ.get("SECRET_KEY") or data_folder.secret_key(settings.DATA_DIR)
        self.check()
        try:
            call_command("migrate", verbosity=0, interactive=False)
            call_command("load_questionnaires", verbosity=0, stdout=StringIO())
            expire_leases()  # the folder is ours alone: whoever held one is dead
            return create_setup_link()
        except DatabaseError as error:
            raise surroundings.Unfit(
                f"the database {settings.DATABASES['default']['NAME']} can't be used ({error}). Make sure that it can "
                "be written and that the disk has room, or put its backup back"
            ) from None

    def _greet(self, link: str | None) -> None:
        """Say where everything is."""
        lines = [
            ("Open", settings.BASE_URL),
            ("First administrator", f"{settings.BASE_URL}{link}  (works once)" if link else ""),
            ("Data", settings.DATA_DIR),
            ("Mail", f"shown here and written to {settings.EMAIL_FILE_PATH}"),
            ("Mode", "embedded: web server, worker and SQLite in this process"),
            ("Stop", "Ctrl-C"),
        ]
        width = max(len(name) for name, _ in lines)
        rows = [f"  {name.ljust(width)}  {value}" for name, value in lines if value]
        self.stdout.write("\n".join(["", self.style.MIGRATE_HEADING("Plumbline is running"), *rows, ""]))
        self.stdout.flush()


def _claimed_folder() -> IO[str]:
    try:
        return data_folder.claim(settings.DATA_DIR)
    except data_folder.FolderInUse as owner:
        raise surroundings.Unfit(
            f"another Plumbline (process {owner}) already runs on {settings.DATA_DIR}. "
            f"Use it, stop it, or name another folder and port: DATA_DIR=~/other PORT={settings.PORT + 1} make run"
        ) from None


def _leave(number: int, frame: FrameType | None) -> None:
    """SIGTERM before there is anything to stop: end as asked, without an error."""
    raise SystemExit(0)
