"""Threads, and in front of them queues out of which clients are served in turn."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ParamSpec, TypeVar

from fairness.turns import LOOK_AGAIN_SECONDS, Account, Client, Turns

P = ParamSpec("P")
R = TypeVar("R")


class Full(Exception):
    """So much waits already that one more would wait for too long: of everybody or, `of_client`, of this client alone.
    Nothing was done."""

    def __init__(self, *, of_client: bool) -> None:
        super().__init__(of_client)
        self.of_client = of_client


@dataclass(frozen=True)
class Room:
    """How much may wait in a pool, how much of it of one client, and for how many seconds."""

    waiting: int
    waiting_of_one: int
    seconds: float


@dataclass(eq=False)
class Work:
    """A call that is to be made, whose it is, and the loop on which somebody waits for it."""

    client: Client
    call: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    accounts: list[Account] = field(default_factory=list)
    future: Future[Any] = field(default_factory=Future)

    @property
    def queue(self) -> Hashable:
        """The name of the queue in which it waits."""
        return self.client.names[:1]


class Pool:
    """So many threads. Each that becomes free takes the next work itself; the loop only brings work to idle ones."""

    def __init__(self, turns: Turns, threads: int, name: str, room: Room) -> None:
        self._turns, self._room = turns, room
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._idle = threads
        self._at_once = max(1, threads // 4)
        self._queues: dict[Hashable, deque[Work]] = {}
        """What waits of each client, the one that was served last at the end."""
        self._waiting = 0
        self._has_timer = False

    async def run(self, client: Client, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function in a thread once it is the client's turn, and give what it gives. Raises Full.

        A cancelled wait does not stop a function that has begun.
        """
        loop = asyncio.get_running_loop()
        work = Work(client, partial(function, *args, **kwargs), loop)
        expiry = loop.call_later(self._room.seconds, self._expire, work) if self._has_to_wait(work) else None
        try:
            found: R = await asyncio.wrap_future(work.future, loop=loop)
        finally:
            if expiry is not None:
                expiry.cancel()
        return found

    def shutdown(self) -> None:
        """End the threads once they have done what is in them."""
        self._executor.shutdown()

    def _has_to_wait(self, work: Work) -> bool:
        """Begin the work where a thread is idle and it is the client's turn; else put it into the queue."""
        with self._turns.lock:
            work.accounts = self._turns.accounts_of(work.client)
            seconds = 0.0
            if self._idle and work.queue not in self._queues:
                seconds = self._seconds_until(work)
                if not seconds:
                    self._begin(work)
                    return False
            self._queue(work)
            self._look_again_in(seconds, work.loop)
            return True

    def _queue(self, work: Work) -> None:
        mine = len(self._queues.get(work.queue, ()))
        if work.client.names and (mine >= self._room.waiting_of_one or self._waiting >= self._room.waiting):
            raise Full(of_client=mine >= self._room.waiting_of_one)
        self._queues.setdefault(work.queue, deque()).append(work)
        self._waiting += 1

    def _begin(self, work: Work) -> None:
        self._idle -= 1
        self._turns.begin(work.accounts)
        self._executor.submit(self._serve, work)

    def _serve(self, work: Work | None) -> None:
        while work is not None:
            work = self._do(work)

    def _do(self, work: Work) -> Work | None:
        """Make the call; gives the work that this thread does next."""
        seconds, settle = 0.0, None
        if work.future.set_running_or_notify_cancel():
            began = time.thread_time()
            try:
                settle = partial(work.future.set_result, work.call())
            except BaseException as error:
                settle = partial(work.future.set_exception, error)
            seconds = time.thread_time() - began
        with self._turns.lock:
            self._turns.end(work.accounts, seconds)
            following = self._take()
            if following is None:
                self._idle += 1
            else:
                self._turns.begin(following.accounts)
        if settle is not None:
            settle()
        return following

    def _take(self) -> Work | None:
        """The next work, out of its queue; None where nothing may begin yet. Light clients are served one after the
        other, and where there is none the lightest one."""
        chosen: Hashable = None
        least = 0.0
        for name, queue in self._queues.items():
            seconds = self._seconds_until(queue[0])
            if seconds:
                self._look_again_in(seconds, queue[0].loop)
                continue
            used = self._turns.used(queue[0].accounts)
            if chosen is None or used < least:
                chosen, least = name, used
            if used < self._turns.heavy_seconds:
                break
        if chosen is None:
            return None
        queue = self._queues.pop(chosen)
        work = queue.popleft()
        if queue:
            self._queues[chosen] = queue
        self._waiting -= 1
        return work

    def _seconds_until(self, work: Work) -> float:
        return self._turns.seconds_until(work.accounts, self._at_once)

    def _look_again_in(self, seconds: float, loop: asyncio.AbstractEventLoop) -> None:
        """Look whether something may begin, where no work that ends here would lead to that. One timer is enough: it is
        set again as long as something waits for its turn."""
        if seconds and not self._has_timer:
            self._has_timer = True
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(loop.call_later, min(seconds, LOOK_AGAIN_SECONDS), self._look_again)

    def _look_again(self) -> None:
        with self._turns.lock:
            self._has_timer = False
            while self._idle and (work := self._take()):
                self._begin(work)

    def _expire(self, work: Work) -> None:
        """It has waited for too long."""
        with self._turns.lock:
            queue = self._queues.get(work.queue)
            if queue is None or work not in queue:
                return
            queue.remove(work)
            if not queue:
                del self._queues[work.queue]
            self._waiting -= 1
        if work.future.set_running_or_notify_cancel():
            work.future.set_exception(Full(of_client=False))
