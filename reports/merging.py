"""Hints of one socket, merged: where an organisation saves twenty times a second, each of its tabs is told some times a
second, and of everything.

The first hint goes at once. Those that come within LIVE_MERGE_SECONDS of the last message go together, as one: that of
the newest position, with the newest of each other submission beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from django.conf import settings

Hint: TypeAlias = dict[str, Any]
MOST = 50
"""Submissions that one message names. Where there are more it names the newest alone, and the page, which sees by the
positions that it missed some, looks for itself."""


class MergedHints:
    """What waits to be told to one socket."""

    def __init__(self, tell: Callable[[list[Hint]], Awaitable[None]]) -> None:
        """`tell` sends these hints as one, and ends the socket by itself where that fails."""
        self._tell = tell
        self._waiting: list[Hint] = []
        self._telling: asyncio.Task[None] | None = None

    def put(self, hint: Hint) -> None:
        """Tell it now or, soon after another one, together with others in a moment."""
        self._waiting.append(hint)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_all())

    def stop(self) -> None:
        """Tell nothing more."""
        if self._telling is not None:
            self._telling.cancel()

    async def _tell_all(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            await self._tell(waiting)
            await asyncio.sleep(settings.LIVE_MERGE_SECONDS)


def merged(hints: list[Hint]) -> Hint:
    """One hint for all of these: the newest, `others` with the newest of each other submission, the oldest first, and
    the `positions` of all by organisation, by which a page sees whether one was lost before."""
    newest_of = {(hint["organisation"], hint["submission"]): hint for hint in sorted(hints, key=_position)}
    *others, newest = sorted(newest_of.values(), key=_position)
    if len(hints) == 1 or len(others) >= MOST:
        return newest
    positions: dict[str, list[int]] = {}
    for hint in sorted(hints, key=_position):
        positions.setdefault(hint["organisation"], []).append(hint["position"])
    return {**newest, "others": others, "positions": positions}


def _position(hint: Hint) -> int:
    return int(hint["position"])
