"""One mode: both builds side by side, each figure turn by turn, and the floor between."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import uvloop

from tests.bench.against.builds import Build
from tests.bench.against.ratios import Comparison, Kind, speed
from tests.bench.against.sides import PROCESSES, Sides, both
from tests.bench.against.stopping import Stopped, leave, until_stopped
from tests.bench.against.turns import CannotMeasure, Failure, Name, Turns, order_of
from tests.bench.against.visitors import Crowd, answer_every_question, rate, saves, submissions, waits
from tests.bench.bench import MODERATE
from tests.bench.embedded_floor import Floor
from tests.bench.figures import COMMITS_AFTERWARDS, COMMITS_WHEN_ANSWERED, Took, milliseconds_of, percentile
from tests.bench.load import as_fast_as_possible, at_rate
from tests.bench.production_floor import floor_flows, floor_worker, milliseconds_of_commit
from tests.unlimited import WITHOUT_BUCKETS

FLOOR_PEOPLE = 16
"""Fewer than the builds have: each has a connection to PostgreSQL, and more of them would be no faster."""
FLOOR_SECONDS = 1.5
FLOOR_SAMPLES = 100
SHARE = 1 / 3
"""Of what the slower build carries on this machine, the wait is measured at so much, and at no more than MODERATE.
Nearer to the limit it would tell how long the queue is."""
FEWEST_WAITS = 20
"""In a turn, however slow the machine."""
AT_ONCE = 8
"""Saves under way all the time, in the tail."""
AT_IT = 50
"""People who answer everything and submit, at the same time and without a pause, in the tail."""
WARM_UP_SECONDS = 1.0
"""Of each turn, not counted: until connections, sockets and the processor's clock are as they stay."""

Scene = Literal["everyday", "tail"]
"""What is put on the builds: what people do every day, or everything at once."""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    turns: int
    people: int
    seconds: float
    """Of each build in each turn of a figure, without its warm-up."""
    rounds: int
    """Answers of each person before the first turn: by then reports and events have their full size."""


@dataclass(frozen=True)
class Measured:
    """What came of a mode."""

    comparisons: list[Comparison]
    failures: list[Failure]


@dataclass
class Figure:
    """One line of the result, and what has been measured for it so far."""

    name: str
    kind: Kind
    unit: str
    of_floor: Callable[[int], Awaitable[float]]
    pairs: list[dict[Name, float]] = field(default_factory=list)
    floors: list[float] = field(default_factory=list)

    def compared(self, mode: str) -> Comparison:
        """With both builds' turns."""
        new, old = (tuple(pair[side] for pair in self.pairs) for side in ("new", "old"))
        return Comparison(mode, self.name, self.kind, self.unit, new, old, tuple(self.floors))

    @property
    def last(self) -> str:
        """The newest turn in words."""
        new, old = self.pairs[-1]["new"], self.pairs[-1]["old"]
        return f"{self.name} {new:.1f} against {old:.1f} {self.unit}: {speed(new, old, self.kind):.3f}"


@dataclass(frozen=True)
class Load:
    """What a build has to carry in a turn, and the figures that are read off it."""

    of_build: Callable[[Name, int], Awaitable[tuple[float, ...]]]
    """Puts it on a build, with that seed; gives each figure."""
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class _Floor:
    """The least that the machine needs."""

    wait: Callable[[float, int], Awaitable[float]]
    """For a flow, at so many flows a second, with that seed."""
    rate: Callable[[int], Awaitable[float]]
    commit: Callable[[], Awaitable[float]]
    """Milliseconds of a bare commit."""


def measure(mode: str, builds: Mapping[Name, Build], plan: Plan, say: Callable[[str], None], scene: Scene) -> Measured:
    """Measure one mode. Raises CannotMeasure."""
    say(f"{mode}: both builds start, each with {plan.people} people of as many organisations")
    # What one person may save in a second would be all that the tail shows.
    settings = {} if scene == "everyday" else WITHOUT_BUCKETS
    runners = partial(asyncio.Runner, loop_factory=uvloop.new_event_loop)
    with both(mode, builds, plan.people, settings) as sides, runners() as runner:
        try:
            return runner.run(until_stopped(_Part(mode, sides, plan, say).run(scene)))
        except Stopped as stop:
            leave(stop.number)
        except CannotMeasure as reason:
            logs = (f"--- {name}\n{side.log()[-3000:]}" for name, side in sides.by_name.items())
            raise CannotMeasure("\n".join([f"{mode}: {reason}", *logs])) from None


class _Part:
    def __init__(self, mode: str, sides: Sides, plan: Plan, say: Callable[[str], None]) -> None:
        self._mode, self._sides, self._plan, self._say = mode, sides, plan, say
        self._crowds = {name: Crowd(side) for name, side in sides.by_name.items()}

    async def run(self, scene: Scene) -> Measured:
        turns = Turns(self._new_people, self._say)
        await self._warm_up()
        async with _FLOORS[self._mode](self._sides) as floor:
            loads = await (self._everyday(turns, floor) if scene == "everyday" else self._tail(floor))
            for turn in range(self._plan.turns):
                for load in loads:
                    await self._turn(turns, turn, load)
                words = "; ".join(figure.last for load in loads for figure in load.figures)
                self._say(f"{self._mode}, turn {turn + 1} of {self._plan.turns}: {words}")
        return Measured([figure.compared(self._mode) for load in loads for figure in load.figures], turns.failures)

    async def _turn(self, turns: Turns, turn: int, load: Load) -> None:
        pair = await turns.pair(turn, load.of_build)
        for number, figure in enumerate(load.figures):
            figure.pairs.append({name: measured[number] for name, measured in pair.items()})
            figure.floors.append(await figure.of_floor(turn))

    async def _everyday(self, turns: Turns, floor: _Floor) -> list[Load]:
        """One save at a time by each person, who then waits for the report."""
        carried = await turns.pair(0, self._rate)
        slower = min(rate for (rate,) in carried.values())
        pace = max(min(MODERATE, SHARE * slower), FEWEST_WAITS / self._plan.seconds)
        self._say(f"{self._mode}: the wait is measured at {pace:.1f} saves a second")
        wait = Figure("answer to browser", "time", "ms", partial(floor.wait, pace))
        rate = Figure("flows a second", "rate", "a second", floor.rate)
        return [Load(partial(self._wait, pace), (wait,)), Load(self._rate, (rate,))]

    async def _tail(self, floor: _Floor) -> list[Load]:
        """Everything at once. The floors are the bare commits of those who come before, one after the other."""

        async def commits(number: float, _seed: int) -> float:
            return number * await floor.commit()

        async def rate(_seed: int) -> float:
            return 1000 / await floor.commit()

        saves = (
            Figure(f"save with {AT_ONCE} at once, p50", "time", "ms", partial(commits, AT_ONCE)),
            Figure(f"save with {AT_ONCE} at once, p95", "time", "ms", partial(commits, AT_ONCE)),
            Figure(f"saves a second, {AT_ONCE} at once", "rate", "a second", rate),
        )
        flow = COMMITS_WHEN_ANSWERED + COMMITS_AFTERWARDS
        reports = (
            Figure(f"report after submit, {AT_IT} at it, p50", "time", "ms", partial(commits, AT_IT * flow)),
            Figure(f"report after submit, {AT_IT} at it, p95", "time", "ms", partial(commits, AT_IT * flow)),
        )
        return [Load(self._saves, saves), Load(self._submissions, reports)]

    async def _warm_up(self) -> None:
        for name in order_of(0):
            async with self._crowds[name].present() as visitors:
                await answer_every_question(visitors, self._plan.rounds)

    async def _new_people(self) -> None:
        for side in self._sides.by_name.values():
            try:
                await asyncio.to_thread(side.seed, self._plan.people)
            except (AssertionError, RuntimeError, OSError) as error:
                raise CannotMeasure(f"the {side.build.name} build has no new people: {error}") from None
        for crowd in self._crowds.values():
            crowd.forget()
        await self._warm_up()

    async def _wait(self, pace: float, side: Name, seed: int) -> tuple[float]:
        """Milliseconds from the answer to a save to its report on the socket, at so many saves a second."""
        async with self._crowds[side].present() as visitors:
            samples = await waits(visitors, pace, WARM_UP_SECONDS, self._plan.seconds, seed)
        return (_positive(1000 * statistics.median(samples) if samples else 0.0),)

    async def _rate(self, side: Name, seed: int) -> tuple[float]:
        async with self._crowds[side].present() as visitors:
            return (_positive(await rate(visitors, WARM_UP_SECONDS, self._plan.seconds, seed)),)

    async def _saves(self, side: Name, seed: int) -> tuple[float, ...]:
        async with self._crowds[side].present() as visitors:
            samples = await saves(visitors, AT_ONCE, WARM_UP_SECONDS, self._plan.seconds, seed)
        return *_percentiles(samples), len(samples) / self._plan.seconds

    async def _submissions(self, side: Name, seed: int) -> tuple[float, ...]:
        async with self._crowds[side].present() as visitors:
            return _percentiles(await submissions(visitors, AT_IT, seed))


def _percentiles(samples: list[float]) -> tuple[float, float]:
    """The median and the 95th percentile in milliseconds."""
    _positive(len(samples))
    return 1000 * statistics.median(samples), 1000 * percentile(samples, 0.95)


def _positive(measured: float) -> float:
    if measured <= 0:
        raise RuntimeError("nothing was measured in this turn")
    return measured


@asynccontextmanager
async def _production_floor(sides: Sides) -> AsyncIterator[_Floor]:
    async def wait(pace: float, seed: int) -> float:
        async with floor_flows(sides.database_url, sides.redis_url, FLOOR_PEOPLE) as flows:
            took = await at_rate(flows, pace, round(pace * FLOOR_SECONDS), seed)
        return 1000 * statistics.median(each.since_answered for each in took)

    async def rate(_seed: int) -> float:
        async with floor_flows(sides.database_url, sides.redis_url, FLOOR_PEOPLE) as flows:
            return await as_fast_as_possible(flows, FLOOR_SECONDS)

    async def commit() -> float:
        return await asyncio.to_thread(milliseconds_of_commit, sides.database_url)

    with floor_worker(sides.redis_url, sides.folder, PROCESSES):
        await rate(0)
        yield _Floor(wait, rate, commit)


@asynccontextmanager
async def _embedded_floor(sides: Sides) -> AsyncIterator[_Floor]:
    floor = await asyncio.to_thread(Floor, sides.folder)

    async def wait(_pace: float, _seed: int) -> float:
        return 1000 * statistics.median([each.since_answered for each in await asyncio.to_thread(sample)])

    async def rate(_seed: int) -> float:
        return 1 / statistics.median([each.whole for each in await asyncio.to_thread(sample)])

    async def commit() -> float:
        return await asyncio.to_thread(milliseconds_of, floor.commit)

    def sample() -> list[Took]:
        return [floor.sample() for _ in range(FLOOR_SAMPLES)]

    try:
        await rate(0)
        yield _Floor(wait, rate, commit)
    finally:
        floor.worker.stop()


_FLOORS = {"embedded": _embedded_floor, "production": _production_floor}
