"""Whose turn it is, by what each client used lately.

What counts is for how long its work kept a processor busy within the last ten seconds or so. Work that waits, for a
database or a lock, uses nothing.

While somebody else is here, a client has a quarter of a pool's threads at a time. One that used more than a second is
heavy as long as somebody is here who used less than half as much. All heavy clients together have one thread, and each
of them rests between two pieces of its work while somebody lighter is at work. A client that is alone has everything.

Strangers, behind each of which there may be many people, do not rest. While somebody else is at work they have one
thread together, however many they are.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

WINDOW = 10.0
"""Seconds. What was used so long ago counts a third, and what was used twice as long ago a seventh."""
LIGHTER = 2.0
"""Somebody is lighter than one who used so many times as much."""
SHARE = 0.2
"""What a heavy client has of a thread, by its rests."""
LONGEST_REST = 5.0
"""Seconds."""
HERE_SECONDS = 30.0
"""A client is here for so long after its last work: somebody reads, and goes on then."""
AT_WORK_SECONDS = 1.0
"""And it is at work for so long: somebody opens a page, or answers one question after the other."""
LOOK_AGAIN_SECONDS = 0.05
"""Where a client waits for what may end in another pool, or for somebody to be gone."""
MOST_ACCOUNTS = 10_000


@dataclass(frozen=True)
class Client:
    """All the names by which somebody is known: what they use counts for each, and each has to have its turn. Those who
    share the first one wait in one queue. Without any name it is the product itself, which waits for nobody's sake."""

    names: tuple[Hashable, ...] = ()
    is_stranger: bool = False
    is_probe: bool = False
    """Whether it is a program that asks all the time how things are: nobody makes room for it."""


class Account:
    """What one name used."""

    __slots__ = ("_at", "_used", "is_stranger", "rests_until", "running", "seen")

    def __init__(self, *, is_stranger: bool = False) -> None:
        self._at = self._used = 0.0
        self.seen = self.rests_until = 0.0
        self.running = 0
        self.is_stranger = is_stranger

    def used(self, now: float) -> float:
        """Seconds, as they count at this moment."""
        return self._used * math.exp((self._at - now) / WINDOW)

    def use(self, seconds: float, now: float) -> None:
        """Add what a piece of work used, and the rest after it."""
        self._used, self._at = self.used(now) + seconds, now
        if not self.is_stranger:
            self.rests_until = now + min(LONGEST_REST, seconds * (1 / SHARE - 1))


class Turns:
    """The accounts of those who share some pools. Each call is for somebody who holds the lock."""

    def __init__(self, heavy_seconds: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        """By default a client is heavy that uses a tenth of a thread. Somebody who reads and answers uses less, with
        ten tabs, too."""
        self.lock = threading.Lock()
        self.heavy_seconds = heavy_seconds
        self._clock = clock
        self._accounts: OrderedDict[Hashable, Account] = OrderedDict()
        """The one that was seen last at the end."""
        self._running: set[Account] = set()
        self._strangers = 0
        """Works of strangers that are running."""
        self._known_at = -math.inf
        """When somebody was here who is none."""

    def accounts_of(self, client: Client) -> list[Account]:
        """The client's accounts. It is here from now on, unless it is a probe."""
        return [self._account(name, client) for name in client.names]

    def seconds_until(self, accounts: Sequence[Account], at_once: int) -> float:
        """After how long the next work of a client may begin; 0 for now. `at_once` is a quarter of the threads."""
        now = self._clock()
        if self._strangers and any(each.is_stranger for each in accounts) and now - self._known_at <= AT_WORK_SECONDS:
            return LOOK_AGAIN_SECONDS
        return max((self._seconds_until(each, accounts, at_once, now) for each in accounts), default=0.0)

    def used(self, accounts: Sequence[Account]) -> float:
        """What the client used."""
        now = self._clock()
        return max((each.used(now) for each in accounts), default=0.0)

    def begin(self, accounts: Sequence[Account]) -> None:
        """Work of a client begins."""
        for each in accounts:
            each.running += 1
            self._running.add(each)
        self._strangers += any(each.is_stranger for each in accounts)

    def end(self, accounts: Sequence[Account], seconds: float) -> None:
        """Work of a client has ended, and kept a processor busy for so long."""
        now = self._clock()
        for each in accounts:
            each.use(seconds, now)
            each.running -= 1
            if not each.running:
                self._running.discard(each)
        self._strangers -= any(each.is_stranger for each in accounts)

    def _account(self, name: Hashable, client: Client) -> Account:
        account = self._accounts.get(name)
        if account is None:
            account = self._accounts[name] = Account(is_stranger=client.is_stranger)
            if len(self._accounts) > MOST_ACCOUNTS:
                self._accounts.popitem(last=False)
        if not client.is_probe:
            account.seen = self._clock()
            if not client.is_stranger:
                self._known_at = account.seen
        self._accounts.move_to_end(name, last=not client.is_probe)
        return account

    def _seconds_until(self, account: Account, its: Sequence[Account], at_once: int, now: float) -> float:
        if account.running >= at_once and self._somebody(its, now, HERE_SECONDS, math.inf):
            return LOOK_AGAIN_SECONDS
        used = account.used(now)
        if used < self.heavy_seconds or not self._somebody(its, now, HERE_SECONDS, used / LIGHTER):
            return 0.0
        if any(each.used(now) >= self.heavy_seconds for each in self._running):
            return LOOK_AGAIN_SECONDS
        if account.rests_until > now and self._somebody(its, now, AT_WORK_SECONDS, used / LIGHTER):
            return account.rests_until - now
        return 0.0

    def _somebody(self, but: Sequence[Account], now: float, within: float, used: float) -> bool:
        """Whether somebody else was here within so many seconds who used so much at most."""
        for each in reversed(self._accounts.values()):
            if now - each.seen > within:
                return False
            if each not in but and each.used(now) <= used:
                return True
        return False
