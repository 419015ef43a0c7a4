"""People who answer: each with a connection and a socket of their own, and at most two saves a second."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle

from tests.bench.against.dialect import STEPS, VALUES, Stored, change_of, report_of, stored_by, unscored
from tests.bench.against.sides import Side
from tests.bench.load import PATIENCE, QUESTIONS, Account, Connection, Socket

BETWEEN_SAVES = 0.5
"""Seconds from one save of a person to the next, at least."""


class Visitor:
    """One person's browser."""

    def __init__(self, account: Account, autosave: str, stored: dict[str, Stored]) -> None:
        self.account = account
        self._stored = stored
        self._head = account.head(
            "POST", autosave.format(submission=account.submission), "Content-Type: application/json"
        )
        self._steps = STEPS.format(submission=account.submission)
        self._connection = Connection(account.port, statuses=(200, 302))
        self._socket: Socket | None = None
        self._awaited: tuple[int, asyncio.Future[float]] | None = None
        self._arrived: tuple[int, float] = (0, 0.0)
        self._revision = 0
        self.saved_at = 0.0

    async def open(self, socket: str) -> None:
        """Open both."""
        await self._connection.open()
        self._socket = await Socket.open(self.account, self._receive, socket)

    def close(self) -> None:
        self._connection.close()
        if self._socket is not None:
            self._socket.close()

    def _receive(self, frame: bytes) -> None:
        now = time.perf_counter()
        report = report_of(frame)
        if report is None or report[0] != self.account.submission:
            return
        self._arrived = (report[1], now)
        if self._awaited is not None and report[1] >= self._awaited[0] and not self._awaited[1].done():
            self._awaited[1].set_result(now)

    async def flow(self) -> tuple[float, float]:
        """Save, and wait for the report on the socket; gives the moments of the answer to the save, and of the report.

        Waits before where the last save was only just now.
        """
        await asyncio.sleep(self.saved_at + BETWEEN_SAVES - time.perf_counter())
        async with asyncio.timeout(PATIENCE):
            answered = await self.save()
            return answered, await self.report()

    async def save(self) -> float:
        """Give the next answer; gives the moment at which that was answered, and does not wait for its report."""
        account = self.account
        question = QUESTIONS[account.turn % len(QUESTIONS)]
        value = VALUES[account.turn // len(QUESTIONS) % len(VALUES)]
        body = change_of(question, value, self._stored.get(question, Stored()))
        self.saved_at = time.perf_counter()
        answer = await self._post(self._head, body)
        answered = time.perf_counter()
        self._revision, self._stored[question] = stored_by(answer, question)
        account.turn += 1
        return answered

    async def save_each(self, answers: int) -> None:
        """Give so many answers one right after the other, without waiting for reports."""
        async with asyncio.timeout(PATIENCE):
            for _ in range(answers):
                await self.save()

    async def newest_report(self) -> None:
        """Wait for the report of what was saved last, where anything was."""
        async with asyncio.timeout(PATIENCE):
            await self.report()

    async def report(self) -> float:
        """Wait for the report of the newest save or submission; gives the moment at which the socket told of it."""
        newest, at = self._arrived
        if newest >= self._revision:
            return at  # it was faster than the answer
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._awaited = (self._revision, future)
        return await future

    async def complete(self) -> None:
        """Answer whatever a submission needs, change one answer at least, and wait for the report."""
        async with asyncio.timeout(PATIENCE):
            await self._post(self._head, unscored())
            for _ in range(max(1, len(QUESTIONS) - self.account.turn)):
                await self.save()
            await self.report()

    async def submit(self) -> float:
        """Submit what was changed, and wait for the final report; gives the seconds from sending to the report."""
        sent = time.perf_counter()
        async with asyncio.timeout(PATIENCE):
            await self._step("submit/")
            self._revision += 1
            return await self.report() - sent

    async def reopen(self) -> None:
        """Make a draft of what was submitted."""
        async with asyncio.timeout(PATIENCE):
            await self._step("reopen/")

    async def _step(self, name: str) -> None:
        form = "Content-Type: application/x-www-form-urlencoded"
        await self._post(self.account.head("POST", self._steps + name, form), "")

    async def _post(self, head: str, body: str) -> bytes:
        return await self._connection.request(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())


@dataclass
class Crowd:
    """The people of one build. They remember what they have answered from turn to turn."""

    side: Side
    stored: list[dict[str, Stored]] = field(default_factory=list)

    def forget(self) -> None:
        """Other people came."""
        self.stored = [{} for _ in self.side.accounts]

    @asynccontextmanager
    async def present(self) -> AsyncIterator[list[Visitor]]:
        """All of them, with everything open."""
        if len(self.stored) != len(self.side.accounts):
            self.forget()
        pairs = zip(self.side.accounts, self.stored, strict=True)
        visitors = [Visitor(account, self.side.autosave, stored) for account, stored in pairs]
        try:
            for visitor in visitors:
                await visitor.open(self.side.socket)
            yield visitors
        finally:
            for visitor in visitors:
                visitor.close()


async def answer_every_question(visitors: list[Visitor], rounds: int) -> None:
    """So many answers by each, as fast as it goes: by then every process and every answer is there."""

    async def answer(visitor: Visitor) -> None:
        for _ in range(rounds):
            await visitor.flow()

    await _all(map(answer, visitors))


async def waits(visitors: list[Visitor], per_second: float, before: float, seconds: float, seed: int) -> list[float]:
    """Seconds from the answer to a save to its report, at so many saves a second, with gaps as of independent people.

    The first `before` seconds are not counted.
    """
    dice = random.Random(seed)  # noqa: S311  (the same load for both builds)
    order = dice.sample(visitors, len(visitors))
    idle: asyncio.Queue[Visitor] = asyncio.Queue()
    for visitor in order:
        idle.put_nowait(visitor)
    samples: list[float] = []
    started = time.perf_counter()

    async def planned(at: float) -> None:
        visitor = await idle.get()
        answered, arrived = await visitor.flow()
        if at >= started + before:
            samples.append(arrived - answered)
        idle.put_nowait(visitor)

    at = started
    async with asyncio.TaskGroup() as tasks:
        while (at := at + dice.expovariate(per_second)) < started + before + seconds:
            await asyncio.sleep(at - time.perf_counter())
            tasks.create_task(planned(at))
    return samples


async def rate(visitors: list[Visitor], before: float, seconds: float, seed: int) -> float:
    """Flows a second while everybody saves as often as they may and waits for each report.

    The first `before` seconds are not counted.
    """
    dice = random.Random(seed)  # noqa: S311  (the same load for both builds)
    started = time.perf_counter()
    first, last = started + before, started + before + seconds
    done = 0

    async def answer(visitor: Visitor, at: float) -> None:
        nonlocal done
        await asyncio.sleep(at)
        while time.perf_counter() < last:
            _answered, arrived = await visitor.flow()
            done += first <= arrived < last

    await _all(answer(visitor, dice.uniform(0, BETWEEN_SAVES)) for visitor in visitors)
    return done / seconds


async def saves(visitors: list[Visitor], at_once: int, before: float, seconds: float, seed: int) -> list[float]:
    """Seconds from each save to its answer, while so many are under way all the time, each by somebody else.

    Nobody waits for a report, but all of them are there in the end. The first `before` seconds are not counted.
    """
    order = random.Random(seed).sample(visitors, len(visitors))  # noqa: S311  (the same load for both builds)
    samples: list[float] = []
    started = time.perf_counter()
    first, last = started + before, started + before + seconds

    async def save_on_and_on(among: list[Visitor]) -> None:
        for visitor in cycle(among):
            sent = time.perf_counter()
            if sent >= last:
                return
            async with asyncio.timeout(PATIENCE):
                answered = await visitor.save()
            if first <= answered < last:
                samples.append(answered - sent)

    await _all(save_on_and_on(among) for lane in range(at_once) if (among := order[lane::at_once]))
    await _all(visitor.newest_report() for visitor in visitors)
    return samples


async def submissions(visitors: list[Visitor], people: int, seed: int) -> list[float]:
    """Seconds from submitting to the final report, of so many people who begin at the same moment: each answers every
    question one right after the other, submits, and waits for the final report."""
    chosen = random.Random(seed).sample(visitors, min(people, len(visitors)))  # noqa: S311  (as above)
    await _all(visitor.complete() for visitor in chosen)

    async def answer_and_submit(visitor: Visitor) -> float:
        await visitor.save_each(len(QUESTIONS))
        return await visitor.submit()

    samples = list(await asyncio.gather(*map(answer_and_submit, chosen)))
    await _all(visitor.reopen() for visitor in chosen)
    return samples


async def _all(flows: Iterable[Coroutine[None, None, None]]) -> None:
    """All at once; the first one that fails ends the others."""
    async with asyncio.TaskGroup() as tasks:
        for flow in flows:
            tasks.create_task(flow)
