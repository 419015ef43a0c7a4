"""What `manage.py` does around each command: an operator's mistake, or a database that is away, is said in words."""

from __future__ import annotations

import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import Error as DatabaseProblem
from environs import EnvError

from eventbus.database_errors import in_words

INTERRUPTED = 130
"""The exit status of what Ctrl-C ended."""


def run(arguments: list[str]) -> None:
    """Run the command; `--traceback` shows where an error of the database came from."""
    _let_every_terminal_be_written_to()
    try:
        execute_from_command_line(arguments)
    except (EnvError, ImproperlyConfigured) as error:
        sys.exit(f"Plumbline's configuration is wrong: {error}")
    except DatabaseProblem as error:
        words = in_words(error)
        if not words or "--traceback" in arguments:
            raise
        sys.exit(words)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped by Ctrl-C.\n")
        sys.exit(INTERRUPTED)


def _let_every_terminal_be_written_to() -> None:
    """What it has no letter for becomes a question mark, instead of ending the command half-way."""
    if hasattr(sys.stdout, "reconfigure") and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")
