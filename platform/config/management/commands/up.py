"""`manage.py up`: the whole product in one process."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack
from io import StringIO
from types import FrameType
from typing import IO, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from accounts.setup import create_setup_link
from config import hosts
from config.celery import app
from config.embedded import data_folder, surroundings
from config.embedded.server import serve
from config.embedded.worker import EmbeddedWorker, WorkerError
from eventbus import callers, scope, solo
from eventbus.sweeper import Sweeper, expire_leases
from operations import files, privacy, versions

CALL_SECONDS = 5.0
"""How long a stop waits for calls, for example to a mail server. What is cut off is called again."""


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
        files.raise_limit()
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
        for path in privacy.tighten(privacy.kept()):
            self.stdout.write(f"Others on this machine could read {path}. Now only its owner can.")
        link = self._prepare_data()
        worker, sweeper = EmbeddedWorker(app, settings.WORKER_THREADS), Sweeper()
        callers.start()
        worker.start()
        solo.work_here()
        sweeper.start()
        try:
            serve(listener, on_started=lambda: self._greet(link))
        finally:
            self.stdout.write("Stopping ...")
            scope.stopping.set()
            sweeper.stop()
            callers.stop(CALL_SECONDS)
            finished = worker.stop()
        return finished

    def _prepare_data(self) -> str | None:
        """Bring key, tables and questionnaires up to date; gives the path of the administrator's link, if due."""
        settings.SECRET_KEY = os.environ.get("SECRET_KEY") or data_folder.secret_key(settings.DATA_DIR)
        self.check()
        try:
            # The folder is ours alone, so a worker that was heard just now has ended.
            call_command("migrate", verbosity=0, interactive=False, workers_are_stopped=True)
            call_command("load_questionnaires", verbosity=0, stdout=StringIO())
            expire_leases()  # the folder is ours alone: whoever held one is dead
            versions.alone()
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
            ("From elsewhere", _from_elsewhere()),
            ("First administrator", _in_words(link)),
            ("Data", settings.DATA_DIR),
            ("Mail", f"shown here and written to {settings.EMAIL_FILE_PATH}"),
            ("Mode", "embedded: web server, worker and SQLite in this process"),
            ("Stop", "Ctrl-C"),
        ]
        width = max(len(name) for name, _ in lines)
        rows = [f"  {name.ljust(width)}  {value}" for name, value in lines if value]
        self.stdout.write("\n".join(["", self.style.MIGRATE_HEADING("Plumbline is running"), *rows, ""]))
        self.stdout.flush()


def _in_words(link: str | None) -> str:
    return f"{settings.BASE_URL}{link}  (works once, within {settings.SETUP_LINK_HOURS} hours)" if link else ""


def _from_elsewhere() -> str:
    """What is missing for others to open it, where it listens to a network but links lead to this machine."""
    if settings.HOST in hosts.LOOPBACK or urlsplit(settings.BASE_URL).hostname not in hosts.LOOPBACK:
        return ""
    address = f"http://{hosts.reachable_address() or 'ADDRESS-OF-THIS-MACHINE'}:{settings.PORT}"
    return f"stop, then start with BASE_URL={address}"


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
