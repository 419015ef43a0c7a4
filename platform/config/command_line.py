"""What `manage.py` does around each command: an operator's mistake, or a database that is away, is said in words."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import Error as DatabaseProblem
from environs import EnvError

from eventbus.database_errors import in_words

SIGNALLED = 128
"""The exit status of what a signal ended, less the signal's number: 130 for Ctrl-C, 143 for SIGTERM."""


class Terminated(KeyboardInterrupt):
    """SIGTERM: a command ends in order, as by Ctrl-C."""


def run(arguments: list[str]) -> None:
    """Run the command; `--traceback` shows where an error of the database came from."""
    _let_every_terminal_be_written_to()
    signal.signal(signal.SIGTERM, _terminate)
    try:
        execute_from_command_line(arguments)
    except (EnvError, ImproperlyConfigured) as error:
        sys.exit(f"Plumbline's configuration is wrong: {error}")
    except DatabaseProblem as error:
        words = in_words(error)
        if not words or "--traceback" in arguments:
            raise
        sys.exit(words)
    except KeyboardInterrupt as stop:
        number, by = (signal.SIGTERM, "SIGTERM") if isinstance(stop, Terminated) else (signal.SIGINT, "Ctrl-C")
        sys.stderr.write("\n" + " ".join([f"Stopped by {by}.", *map(str, stop.args)]) + "\n")
        sys.exit(SIGNALLED + number)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    """The second one ends the command at once."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise Terminated


def _let_every_terminal_be_written_to() -> None:
    """What it has no letter for becomes a question mark, instead of ending the command half-way."""
    if hasattr(sys.stdout, "reconfigure") and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")
