"""Following reports: first what was missed since a position, then whatever comes, with no gap in between.

The channel group is joined before the first look into the database, and a hint only means "look again": every look asks
for what lies beyond the last position given out. So nothing comes twice, a hint that got lost is made up for by the
next one or by the look after RECHECK_SECONDS, and whoever lost access gets nothing, for each look asks as that person.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, TypeAlias
from uuid import UUID

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db.models import Exists, Q

from accounts.models import Membership, User
from reports.live import join
from reports.models import Feed, Report

RECHECK_SECONDS = 10.0
"""How long a lost hint may delay a report, and how long a stream may outlive its person's last membership."""

Positions: TypeAlias = Mapping[UUID, int]
"""The last position seen in each organisation's feed."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Who follows what; None: whatever that person may see."""

    person: UUID
    organisation: UUID | None = None
    submission: UUID | None = None
    questionnaire: str | None = None


@dataclass(frozen=True)
class News:
    """A report as it stands now, perhaps withdrawn, and how far its reader has come with it."""

    report: Report
    seen: Positions


async def follow(watch: Watch, after: Positions | None) -> AsyncGenerator[News, None]:
    """The changes after these positions (None: after now), each report in its newest state; then waits for more.

    A report that changed several times meanwhile comes once. Ends when the person belongs to no organisation watched.
    """
    async with _listening(watch) as ear:
        seen = await _start(watch, after)
        while ear.joined:
            while (report := await _next(watch, seen)) is not None:
                seen = {**seen, report.organisation_id: report.position}
                yield News(report, seen)
            await ear.wait(seen)


class Ear:
    """A channel of its own in the groups of the person's organisations."""

    def __init__(self, layer: Any, channel: str, watch: Watch) -> None:
        self._layer, self._channel, self._watch = layer, channel, watch
        self._recheck_at = 0.0
        self._hint: asyncio.Task[dict[str, Any]] | None = None
        self.joined: frozenset[str] = frozenset()

    async def join(self) -> None:
        """Join the groups of the organisations of which the person is a member now, and leave the others."""
        self._recheck_at = time.monotonic() + RECHECK_SECONDS
        self.joined = await join(self._layer, self._channel, await _organisations(self._watch), self.joined)

    async def wait(self, seen: Positions) -> None:
        """Return when there may be something to see: after a hint, or when it is time to look without one."""
        while (left := self._recheck_at - time.monotonic()) > 0:
            hint = self._listen()
            heard, _waiting = await asyncio.wait({hint}, timeout=left)
            if heard:
                self._hint = None
                if self._is_news(hint.result(), seen):
                    return
        await self.join()

    async def leave(self) -> None:
        hint = self._listen()
        # What has not begun to listen would leave its channel behind in Redis.
        await asyncio.sleep(0)
        hint.cancel()
        await asyncio.wait({hint})
        self.joined = await join(self._layer, self._channel, (), self.joined)

    def _listen(self) -> asyncio.Task[dict[str, Any]]:
        """The hint that comes next. It is waited for until the end: a layer on Redis takes a channel on which one gives
        up for left, and forgets it."""
        if self._hint is None:
            self._hint = asyncio.create_task(self._layer.receive(self._channel))
        return self._hint

    def _is_news(self, hint: dict[str, Any], seen: Positions) -> bool:
        wanted = self._watch.submission
        concerns = wanted is None or str(wanted) == hint["submission"]
        return concerns and int(hint["position"]) > seen.get(UUID(hint["organisation"]), 0)


@asynccontextmanager
async def _listening(watch: Watch) -> AsyncIterator[Ear]:
    layer: Any = get_channel_layer()
    ear = Ear(layer, await layer.new_channel(), watch)
    try:
        await ear.join()
        yield ear
    finally:
        await ear.leave()


@database_sync_to_async
def _organisations(watch: Watch) -> list[UUID]:
    mine = Membership.objects.filter(user=watch.person, user__is_active=True)
    if watch.organisation is not None:
        mine = mine.filter(organisation=watch.organisation)
    return list(mine.values_list("organisation", flat=True))


@database_sync_to_async
def _start(watch: Watch, after: Positions | None) -> Positions:
    """Where to begin. Never beyond the feed's end: after a restore from a backup, a client may have come further."""
    mine = Membership.objects.filter(user=watch.person).values_list("organisation", flat=True)
    now = Feed.objects.positions(list(mine))
    if after is None:
        return now
    return {organisation: min(after[organisation], now[organisation]) for organisation in now.keys() & after.keys()}


@database_sync_to_async
def _next(watch: Watch, seen: Positions) -> Report | None:
    """The first change that the person has not seen; an organisation that is new to them is so from its beginning.

    Whole, for a moment later the row may hold the next revision.
    """
    unseen = (Q(organisation=organisation, position__gt=position) for organisation, position in seen.items())
    person = User(pk=watch.person)
    found = Report.objects.of_members(person).filter(Exists(User.objects.filter(pk=watch.person, is_active=True)))
    found = found.filter(reduce(or_, unseen, ~Q(organisation__in=list(seen))))
    for name in ("organisation", "submission", "questionnaire"):
        if (wanted := getattr(watch, name)) is not None:
            found = found.filter(**{_COLUMNS[name]: wanted})
    return found.order_by("organisation", "position").first()


_COLUMNS = {"organisation": "organisation", "submission": "submission", "questionnaire": "questionnaire_slug"}
