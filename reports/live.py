"""Hints to open tabs: something changed, come and fetch it. Ids and numbers only, never an answer."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from functools import cache, partial
from typing import Any
from uuid import UUID

from channels.layers import get_channel_layer

from eventbus import moments
from reports.models import Problem, Report

log = logging.getLogger(__name__)

PUSHED, NOT_PUSHED = "reports.pushed", "reports.push_failed"
"""The moments of an announcement's trace: when the channel layer had taken its hint, or had failed to."""

ERASED = "erased"
"""The state in the last hint of an organisation."""
LAST_POSITION = 2**53 - 1
"""Beyond all others, and a number that JavaScript keeps."""


def group_of(organisation: UUID | str) -> str:
    """The channel group of everyone who may see the organisation's reports."""
    return f"organisation.{organisation}"


async def join(
    layer: Any, channel: str, organisations: Iterable[UUID], before: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Let a channel hear of these organisations, and no longer of others whose groups it joined before.

    Joins again what it had joined: a layer drops a channel that did not read for a while from its groups.
    """
    groups = frozenset(map(group_of, organisations))
    for group in groups:
        await layer.group_add(group, channel)
    for group in before - groups:
        await layer.group_discard(group, channel)
    return groups


def hint(report: Report, state: str) -> dict[str, Any]:
    """What a tab is told; `state` is new, changed or removed (or failed, see `problem_hint`)."""
    return {
        "type": "report.changed",
        "organisation": str(report.organisation_id),
        "report": str(report.pk),
        "submission": str(report.submission),
        "revision": report.revision,
        "position": report.position,
        "state": state,
    }


def problem_hint(problem: Problem) -> dict[str, Any]:
    """What a tab is told where there will be no report."""
    return {
        "type": "report.changed",
        "organisation": str(problem.organisation_id),
        "report": None,
        "submission": str(problem.submission),
        "revision": problem.revision,
        "position": problem.position,
        "state": "failed",
    }


def send_hint(report: Report, state: str, event: UUID) -> Future[None] | None:
    """Tell the open tabs of what the event announced; does not wait for it. None where it is
    done by now, or where there is no channel layer.

    Failing is not grave: each tab fetches what it missed when it next connects.
    """
    return _send(hint(report, state), event)


def send_problem(problem: Problem, event: UUID) -> Future[None] | None:
    """Tell the open tabs that there will be no report, as `send_hint` does."""
    return _send(problem_hint(problem), event)


def send_erased(organisation: UUID) -> Future[None] | None:
    """Tell the open tabs that their organisation is gone, as `send_hint` does. The form of other hints, so that older
    processes understand it, and a position beyond all others, so that every tab looks."""
    layer = get_channel_layer()
    message = {
        "type": "report.changed",
        "organisation": str(organisation),
        "report": None,
        "submission": str(UUID(int=0)),
        "revision": 0,
        "position": LAST_POSITION,
        "state": ERASED,
    }
    return None if layer is None else _post(layer, message)


def _send(message: dict[str, Any], event: UUID) -> Future[None] | None:
    layer = get_channel_layer()
    if layer is None:
        return None
    future = _post(layer, message)
    if future is None:
        moments.note(PUSHED, event)
        return None
    about = f"report {message['report']}" if message["report"] else f"submission {message['submission']}"
    future.add_done_callback(partial(_note_outcome, about, event))
    return future


def _post(layer: Any, message: dict[str, Any]) -> Future[None] | None:
    group = group_of(message["organisation"])
    # The layer inside the process takes messages from any thread. (Asking the other one itself would need a loop.)
    if post := getattr(type(layer), "post", None):
        post(layer, group, message)
        return None
    return asyncio.run_coroutine_threadsafe(layer.group_send(group, message), _loop())


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """One loop for all hints of this process: `async_to_sync` would make a thread and a loop for each, and a layer
    on Redis a connection."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="hints", daemon=True).start()
    return loop


os.register_at_fork(after_in_child=_loop.cache_clear)


def _note_outcome(about: str, event: UUID, future: Future[None]) -> None:
    error = future.exception()
    moments.note(NOT_PUSHED if error else PUSHED, event)
    if error:
        log.warning("the hint for %s was not sent: %s", about, type(error).__name__)
