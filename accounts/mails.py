"""Where mails of this installation end up: a page may say that one was sent only where it was."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.utils.translation import gettext


class Reach(StrEnum):
    """Whom a mail reaches."""

    PEOPLE = "people"
    TERMINAL = "terminal"  # printed where Plumbline runs, and written to a folder there
    NOBODY = "nobody"


_BACKENDS = {
    "config.embedded.mail.TerminalAndFolderBackend": Reach.TERMINAL,
    "django.core.mail.backends.console.EmailBackend": Reach.TERMINAL,
    "django.core.mail.backends.filebased.EmailBackend": Reach.TERMINAL,
    "django.core.mail.backends.dummy.EmailBackend": Reach.NOBODY,
}


def reach() -> Reach:
    return _BACKENDS.get(settings.EMAIL_BACKEND, Reach.PEOPLE)


def how_they_learn_of_it() -> str:
    """For an operator who did something to a person's account, of which a mail was made."""
    if reach() is Reach.PEOPLE:
        return gettext("A mail tells them.")
    return gettext("Tell them yourself: this installation sends no mail.")


def folder() -> str:
    """The end of the folder's path: who runs Plumbline knows it by that, and nobody else should learn the whole."""
    return "/".join(Path(settings.EMAIL_FILE_PATH).parts[-2:])


def code_minutes() -> int:
    """How long a code works that was sent in a mail."""
    return int(settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT) // 60


def restart_the_clock(process: Any) -> None:
    """Let a code that was sent again (a process of allauth's) work as long as the first one did."""
    process.state["at"] = time.time()
    process.persist()


def tell_again(process: Any) -> None:
    """Where a new code was asked for by somebody who signed up with a known address, its owner gets the same mail once
    more (a process of allauth's, which sends none): as many mails go out as for a new address."""
    if "user_id" not in process.state:
        get_adapter().send_account_already_exists_mail(process.email)
