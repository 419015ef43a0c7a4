"""A place in the product at which a process dies: after the commit of a save, before anybody was woken up.

The product has no code for it. Hooks run in the order in which they were registered, and this app's receiver is called
before the bus's, so its hook runs between the commit and the wake-up.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db import transaction

from eventbus.signals import published

ARMED = "FAULTS_FAILPOINT"
"""Environment variable with the path of a file: as long as it is there, the next commit takes it away and dies."""


def connect() -> None:
    """Let every process that was told a path die when the file is there."""
    if path := os.environ.get(ARMED):
        file = Path(path)
        published.connect(lambda **_: transaction.on_commit(lambda: _die(file)), dispatch_uid="failpoint", weak=False)


def _die(file: Path, **kwargs: Any) -> None:
    with suppress(FileNotFoundError):
        file.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
