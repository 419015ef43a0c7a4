"""Mail without a mail server: printed, and written to the data folder."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

# A browser names itself in a mail, in whatever characters it likes: none of them is to steer the terminal.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")


class TerminalAndFolderBackend(BaseEmailBackend):
    """Prints each mail's text and writes the mail to EMAIL_FILE_PATH as an .eml file that only its owner reads."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Give the number of mails written; raises OSError where one can't be, unless told to be silent."""
        sent = 0
        for message in email_messages:
            if not message.recipients():
                continue
            try:
                path = _write(message)
            except OSError:
                if self.fail_silently:
                    continue
                raise
            _print(message, path)
            sent += 1
        return sent


def _write(message: EmailMessage) -> Path:
    """Write one mail; names sort by time."""
    folder = Path(settings.EMAIL_FILE_PATH)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    recipient = re.sub(r"[^A-Za-z0-9@._-]", "_", message.recipients()[0])[:80]
    path = folder / f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{recipient}-{uuid4().hex[:6]}.eml"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(message.message().as_bytes())
    return path


def _print(message: EmailMessage, path: Path) -> None:
    """Show one mail to the person at the terminal."""
    lines = [f"Mail to {', '.join(message.recipients())}: {message.subject}", *str(message.body).strip().splitlines()]
    text = "\n".join(f"  | {_CONTROLS.sub('?', line)}".rstrip() for line in [*lines, f"(also in {path})"])
    print(f"\n{text}\n", file=sys.stdout, flush=True)  # noqa: T201
