"""Both modes as an operator runs them, with the limits that they have by default."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.bench.abuse.peers import Place
from tests.bench.embedded import ROOT, set_up_django, wait_until_up
from tests.bench.load import Account
from tests.bench.stack import sign_in, stack
from tests.services import free_port
from tests.unlimited import FOR_CAPACITY

CROWD = 10
"""People of the organisation with many tabs: 20 each."""


@contextmanager
def silent_mail_server() -> Iterator[str]:
    """The EMAIL_URL of one that takes connections and never says a word."""
    taken: list[socket.socket] = []
    with closing(socket.create_server(("127.0.0.1", 0), backlog=512)) as listener:

        def take() -> None:
            while True:
                try:
                    taken.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    for each in taken:
        each.close()


@contextmanager
def embedded() -> Iterator[Place]:
    """`manage.py up`."""
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as name, silent_mail_server() as mails:
        folder, port = Path(name), free_port()
        environment = {**os.environ, "DATA_DIR": name, "PORT": str(port), "EMAIL_URL": mails}
        with (folder / "server.log").open("wb") as log:
            command = [sys.executable, str(ROOT / "manage.py"), "up"]
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
            try:
                wait_until_up(process, port, folder / "server.log")
                set_up_django(folder)
                yield _place(port, f"localhost:{port}", is_proxied=False)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)


@contextmanager
def production() -> Iterator[Place]:
    """One web process and a worker of two, on PostgreSQL and Redis. Raises CannotHave."""
    with silent_mail_server() as mails, stack() as services:
        given = services.installation.environment
        for name in FOR_CAPACITY:
            del given[name]  # the limits as they come are what is measured
        given |= {"DJANGO_SETTINGS_MODULE": "config.settings", "EMAIL_URL": mails}
        with services.running(web=1, worker=2) as running:
            yield _place(running.ports[0], "plumbline.example.org", is_proxied=True)


def _place(port: int, host: str, *, is_proxied: bool) -> Place:
    from accounts.models import Organisation

    def account(name: str, organisation: Any = None) -> Account:
        return _account(name, host, port, is_proxied=is_proxied, organisation=organisation)

    crowded = Organisation.objects.create(name="Crowded")
    crowd = [account(f"crowd{number}", crowded) for number in range(CROWD)]
    return Place(port, host, is_proxied, account("victim"), account("attacker"), crowd)


def _account(name: str, host: str, port: int, *, is_proxied: bool, organisation: Any) -> Account:
    from accounts.models import User
    from answers import submissions

    person = User.objects.create_user(f"{name}@example.test", organisation=organisation)
    draft = submissions.start(person, "quick-check", name=name)
    return Account(host, sign_in(person), str(draft.pk), port, is_proxied=is_proxied)
