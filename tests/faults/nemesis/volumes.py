"""Much at once."""

from __future__ import annotations

import threading
import time

from tests.faults.site import Production
from tests.faults.stage import Stage

BEHIND = """
    SELECT 1 FROM eventbus_delivery WHERE finished_at IS NULL AND created_at < now() - interval '2 seconds' LIMIT 1
"""
MOST_SECONDS = 300.0
UNDER_WAY = 50
"""Messages that the people keep in the broker while they go on answering."""


def burst(stage: Stage[Production]) -> None:
    """10,000 events of 200 submissions at once, beside the people. Working that off is no recovery from a crash: the
    seconds that it takes are told, and not held to the bound."""
    started = time.monotonic()
    stage.burst(300 if stage.short else 10_000, 20 if stage.short else 200)
    stage.figures["seconds to publish"] = round(time.monotonic() - started, 1)
    # The plain alternative's messages are the work; the product's may be left over for what is done already.
    waits = _is_behind if stage.site.backend.has_outbox else _has_messages
    started = time.monotonic()
    while waits(stage) and time.monotonic() - started < MOST_SECONDS:
        stage.wait(0.5)
    stage.figures["seconds to work off"] = round(time.monotonic() - started, 1)
    stage.figures["messages left then"] = stage.site.wakeups()


def _is_behind(stage: Stage[Production]) -> bool:
    """Whether any of it waits in the outbox."""
    return bool(stage.site.rows(BEHIND))


def _has_messages(stage: Stage[Production]) -> bool:
    """Whether more waits in the broker than the people keep there."""
    return stage.site.wakeups() > UNDER_WAY


def replay(stage: Stage[Production]) -> None:
    """A replay of 10,000 events, 200 a second, beside live traffic, which must not wait for it."""
    wanted = 300 if stage.short else 10_000
    stored = int(stage.site.rows("SELECT count(*) FROM eventbus_event WHERE type = 'AnswerEvent'")[0][0])
    if stored < wanted:
        burst(stage)
    command = ("bus", "replay", "--subscriber", "security.evaluate", "--rate", "200", "--yes")
    ordering = threading.Thread(target=stage.site.manage, args=command)
    ordering.start()
    ordering.join()
    waiting = "SELECT count(*) FROM eventbus_delivery WHERE generation > 0 AND finished_at IS NULL"
    stage.figures["replayed"] = stage.site.rows("SELECT count(*) FROM eventbus_delivery WHERE generation > 0")[0][0]
    started = time.monotonic()
    while stage.site.rows(waiting)[0][0] and time.monotonic() - started < MOST_SECONDS:
        stage.mark()
        stage.wait(2)
    stage.figures["seconds to work off"] = round(time.monotonic() - started, 1)
