"""Following reports: first what was missed since a position, then whatever comes, with no gap in between.

The channel group is joined before the first look into the database, and a hint only means "look again": every look asks
for what lies beyond the last position given out. So nothing comes twice, a hint that got lost is made up for by the
next one or by the look after RECHECK_SECONDS, and whoever lost access gets nothing, for each look asks as that person.
Those who look at the same time do so together: a report for a thousand subscribers is found once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, TypeAlias
from uuid import UUID

from channels.layers import get_channel_layer
from django.conf import settings
from django.db.models import Q

from accounts.models import Membership
from reports.live import join
from reports.models import Feed, Problem, Report
from sockets.gathering import Gathered, until_next

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
    """A report as it stands now, perhaps withdrawn, or why there is none, and how far its reader has come with it."""

    change: Report | Problem
    seen: Positions


async def follow(watch: Watch, after: Positions | None) -> AsyncGenerator[News, None]:
    """The changes after these positions (None: after now), each report in its newest state; then waits for more.

    A report that changed several times in between comes once. Ends when the person belongs to no organisation watched.
    Problems are rare, so they are looked for only after a hint at one, at the start, and when hints may be lost.
    """
    async with _listening(watch) as ear:
        told = seen = await _start(watch, after)
        while ear.joined:
            with_problems = ear.may_hear_of_problems()
            while (change := await _next(watch, seen, told if with_problems else None)) is not None:
                position = {change.organisation_id: change.position}
                if isinstance(change, Problem):
                    told = {**told, **position}
                if change.position > seen.get(change.organisation_id, 0):
                    seen = {**seen, **position}
                yield News(change, seen)
            told = seen if with_problems else told
            await ear.wait(seen)


class Ear:
    """A channel of its own in the groups of the person's organisations, and somebody who reads it all the time.

    For the layer on Redis, a reader who gives up has left: the channel is gone, and no group takes it again.
    """

    def __init__(self, layer: Any, channel: str, watch: Watch) -> None:
        self._layer, self._channel, self._watch = layer, channel, watch
        self._recheck_at = 0.0
        self._newest: dict[UUID, int] = {}
        self._heard = asyncio.Event()
        self._waited_at = 0.0
        self._problems = True
        self._reading: asyncio.Task[None] | None = None
        self.joined: frozenset[str] = frozenset()

    async def join(self) -> None:
        """Join the groups of the organisations of which the person is a member now, and leave the others."""
        self._recheck_at = time.monotonic() + until_next(RECHECK_SECONDS)
        self._problems = True
        self.joined = await join(self._layer, self._channel, await _organisations(self._watch), self.joined)

    async def wait(self, seen: Positions) -> None:
        """Return when there may be something to see: after a hint, or when it is time to look without one.

        After a rest the first hint counts at once; those that come sooner than LIVE_MERGE_SECONDS after the last wait
        are looked after together.
        """
        self._begin_to_read()
        try:
            async with asyncio.timeout(self._recheck_at - time.monotonic()):
                while not self._has_heard_of_news(seen):
                    self._heard.clear()
                    await self._heard.wait()
            await asyncio.sleep(self._waited_at + settings.LIVE_MERGE_SECONDS - time.monotonic())
            self._waited_at = time.monotonic()
        except TimeoutError:
            await self.join()

    def may_hear_of_problems(self) -> bool:
        """Whether there was a hint at a problem since the last call, or one may have got lost."""
        may, self._problems = self._problems, False
        return may

    async def leave(self) -> None:
        """Give back what is held."""
        # That layer takes the channel back from a reader who is stopped, so there has to be one.
        reading = self._begin_to_read()
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        self.joined = await join(self._layer, self._channel, (), self.joined)

    def _begin_to_read(self) -> asyncio.Task[None]:
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
            # Whoever waits has to learn that nothing more will come.
            self._reading.add_done_callback(lambda _task: self._heard.set())
        return self._reading

    async def _read(self) -> None:
        while True:
            hint = await self._layer.receive(self._channel)
            if hint["type"] != "report.changed":  # a newer version's, during an upgrade
                continue
            if self._watch.submission is None or str(self._watch.submission) == hint["submission"]:
                organisation = UUID(hint["organisation"])
                self._newest[organisation] = max(int(hint["position"]), self._newest.get(organisation, 0))
                self._problems = self._problems or hint["state"] == "failed"
                self._heard.set()

    def _has_heard_of_news(self, seen: Positions) -> bool:
        """Whether a hint came about something beyond these positions. Each counts once: it may be for others only."""
        if self._reading is not None and self._reading.done():
            self._reading.result()
        newest, self._newest = self._newest, {}
        return any(position > seen.get(organisation, 0) for organisation, position in newest.items())


@asynccontextmanager
async def _listening(watch: Watch) -> AsyncIterator[Ear]:
    layer: Any = get_channel_layer()
    ear = Ear(layer, await layer.new_channel(), watch)
    try:
        await ear.join()
        yield ear
    finally:
        await ear.leave()


async def _organisations(watch: Watch) -> frozenset[UUID]:
    return _watched(watch, await _memberships.ask(watch.person))


def _watched(watch: Watch, organisations: frozenset[UUID] | None) -> frozenset[UUID]:
    """Those of the person's organisations that the watch is about."""
    mine = organisations or frozenset()
    return mine if watch.organisation is None else mine & {watch.organisation}


def _organisations_of(people: Collection[UUID]) -> dict[UUID, frozenset[UUID]]:
    """The organisations of each of these people; of somebody who was deactivated none."""
    found: dict[UUID, set[UUID]] = {person: set() for person in people}
    mine = Membership.objects.filter(user__in=people, user__is_active=True)
    for person, organisation in mine.values_list("user", "organisation"):
        found[person].add(organisation)
    return {person: frozenset(organisations) for person, organisations in found.items()}


_memberships: Gathered[UUID, frozenset[UUID]] = Gathered(_organisations_of)


async def _start(watch: Watch, after: Positions | None) -> Positions:
    """Where to begin. Never beyond the feed's end: after a restore from a backup, a client may have come further."""
    now = await _ends.ask(watch.person) or {}
    if after is None:
        return now
    return {organisation: min(after[organisation], now[organisation]) for organisation in now.keys() & after.keys()}


def _ends_of(people: Collection[UUID]) -> dict[UUID, Positions]:
    """How far the feeds of each of these people have come."""
    organisations = _organisations_of(people)
    ends = Feed.objects.positions(frozenset().union(*organisations.values()))
    return {person: {each: ends[each] for each in mine} for person, mine in organisations.items()}


_ends: Gathered[UUID, Positions] = Gathered(_ends_of)


@dataclass(frozen=True)
class _Look:
    """Somebody looks for the first change that they have not seen."""

    watch: Watch
    seen: frozenset[tuple[UUID, int]]
    told: frozenset[tuple[UUID, int]] | None
    """How far they know of problems; None: they do not look for any."""


@dataclass(frozen=True)
class _Stretch:
    """What is beyond a position in each of some feeds: many people look at the same one."""

    beyond: frozenset[tuple[UUID, int]]
    submission: UUID | None
    questionnaire: str | None


async def _next(watch: Watch, seen: Positions, told: Positions | None) -> Report | Problem | None:
    """The first change that the person has not seen; an organisation that is new to them is so from its beginning.

    Whole, for a moment later the row may hold the next revision.
    """
    problems = None if told is None else frozenset(told.items())
    found = await _changes.ask(_Look(watch, frozenset(seen.items()), problems))
    # Others may get the same row, and rows remember what was loaded through them.
    return copy(found)


def _first_changes(looks: Collection[_Look]) -> dict[_Look, Report | Problem | None]:
    """What each of these looks finds: one query for everybody's memberships, and one for each stretch."""
    organisations = _organisations_of({look.watch.person for look in looks})
    stretches = {look: _stretch(look.watch, look.seen, organisations[look.watch.person]) for look in looks}
    reports = {stretch: _first_report(stretch) for stretch in set(stretches.values())}
    untold = {
        look: _stretch(look.watch, look.told, organisations[look.watch.person])
        for look in looks
        if look.told is not None
    }
    problems = {stretch: _first_problem(stretch) for stretch in set(untold.values())}
    return {
        look: _earlier(reports[stretches[look]], problems[untold[look]] if look in untold else None) for look in looks
    }


def _stretch(watch: Watch, seen: frozenset[tuple[UUID, int]], organisations: frozenset[UUID]) -> _Stretch:
    positions = dict(seen)
    beyond = frozenset((each, positions.get(each, 0)) for each in _watched(watch, organisations))
    return _Stretch(beyond, watch.submission, watch.questionnaire)


def _first_report(stretch: _Stretch) -> Report | None:
    wanted = _wanted(stretch)
    return None if wanted is None else Report.objects.filter(wanted).order_by("organisation", "position").first()


def _first_problem(stretch: _Stretch) -> Problem | None:
    wanted = _wanted(stretch)
    if wanted is None:
        return None
    return Problem.objects.filter(wanted).standing().order_by("organisation", "position").first()


def _wanted(stretch: _Stretch) -> Q | None:
    """The rows that belong to the stretch; None: it is empty."""
    if not stretch.beyond:
        return None
    wanted = reduce(or_, (Q(organisation=each, position__gt=position) for each, position in stretch.beyond))
    if stretch.submission is not None:
        wanted &= Q(submission=stretch.submission)
    if stretch.questionnaire is not None:
        wanted &= Q(questionnaire_slug=stretch.questionnaire)
    return wanted


def _earlier(report: Report | None, problem: Problem | None) -> Report | Problem | None:
    if report is None or problem is None:
        return report or problem
    is_first = (report.organisation_id, report.position) < (problem.organisation_id, problem.position)
    return report if is_first else problem


_changes: Gathered[_Look, Report | Problem | None] = Gathered(_first_changes)
