"""PostgreSQL dies, or stands still."""

from __future__ import annotations

import signal

from tests.faults.site import Production
from tests.faults.stage import Stage


def restart(stage: Stage[Production]) -> None:
    """An immediate stop of PostgreSQL (no time to end anything), and a start with recovery from its log."""
    stage.site.postgres.stop(signal.SIGQUIT)
    stage.site.postgres.start()
    stage.mark()
    stage.wait(2)


def stand_still(stage: Stage[Production]) -> None:
    """SIGSTOP to every process of PostgreSQL for ten seconds."""
    stage.site.postgres.freeze()
    stage.wait(4 if stage.short else 10)
    stage.site.postgres.thaw()
    stage.mark()
