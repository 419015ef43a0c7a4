"""Messages that come too often, or in the wrong order."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults import broker
from tests.faults.site import Production
from tests.faults.stage import Stage


def send_tenfold(stage: Stage[Production]) -> None:
    """Each message ten times over, with eight processes that deliver."""
    if not stage.short:
        stage.site.start_workers({"WORKER_CONCURRENCY": "4"}, {"WORKER_CONCURRENCY": "4"})
    _rearrange(stage, broker.tenfold, times=1)
    if not stage.short:
        stage.wait(5)
        stage.site.start_workers({}, {})


def send_backwards(stage: Stage[Production]) -> None:
    """The newest message first, the oldest last."""
    _rearrange(stage, broker.backwards, times=1 if stage.short else 3)


def _rearrange(stage: Stage[Production], change: Callable[[list[str]], list[str]], *, times: int) -> None:
    """Let messages pile up while the workers stand still, and change them before they go on."""
    for _ in range(times):
        with stage.site.frozen(*stage.site.workers):
            stage.wait(2)
            changed = broker.rearrange(stage.site, change)
            stage.expect(changed > 10, f"only {changed} messages were there to rearrange")
        stage.mark()
        stage.wait(2)
