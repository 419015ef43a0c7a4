"""Which build has its turn when, and what becomes of a turn that fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

Name = Literal["new", "old"]
Result = TypeVar("Result")
MOST_FAILURES = 5
"""So many turns of a part may fail; one more, and there is nothing to be said about the builds."""


class CannotMeasure(Exception):
    """The message says why."""


def order_of(turn: int) -> tuple[Name, Name]:
    """Who goes first: old, new, new, old, old, new ... so that neither is always the one before or after."""
    return ("old", "new") if turn % 2 == 0 else ("new", "old")


@dataclass
class Failure:
    """A turn that has to be repeated."""

    turn: int
    side: Name
    reason: str


@dataclass
class Turns:
    """Both builds, turn by turn. What fails is told and repeated: both builds once more, with the same seed."""

    recover: Callable[[], Awaitable[None]]
    """Is called after a turn that failed: puts both builds into a state in which it can be repeated."""
    say: Callable[[str], None]
    failures: list[Failure] = field(default_factory=list)

    async def pair(self, turn: int, measure: Callable[[Name, int], Awaitable[Result]]) -> dict[Name, Result]:
        """What `measure` gave for each build, with the turn's seed. Raises CannotMeasure where too many turns fail."""
        while True:
            measured: dict[Name, Result] = {}
            for side in order_of(turn):
                try:
                    measured[side] = await measure(side, turn)
                except (RuntimeError, OSError, ExceptionGroup) as error:
                    await self._failed(Failure(turn, side, reason_of(error)))
                    break
            else:
                return measured

    async def _failed(self, failure: Failure) -> None:
        self.failures.append(failure)
        self.say(f"turn {failure.turn + 1} failed with the {failure.side} build: {failure.reason}")
        if len(self.failures) > MOST_FAILURES:
            raise CannotMeasure(f"{len(self.failures)} turns failed")
        self.say("both builds get new people, and the turn is repeated")
        await self.recover()


def reason_of(error: BaseException) -> str:
    """One line, also of what several people met at once."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}".rstrip(": ").replace("\n", " ")[:500]
