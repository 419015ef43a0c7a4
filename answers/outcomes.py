"""What became of answers. Reports are another module's: `config` says here how to ask about them."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

_came_to_nothing: list[Callable[[UUID, int], bool]] = []


def connect(came_to_nothing: Callable[[UUID, int], bool]) -> None:
    """Ask this from now on: whether a submission's revision has no result, and none is on its way."""
    _came_to_nothing[:] = [came_to_nothing]


def came_to_nothing(submission: UUID, revision: int) -> bool:
    """Whether this revision has no result, and none is on its way. Without anybody to ask: no."""
    return any(ask(submission, revision) for ask in _came_to_nothing)
