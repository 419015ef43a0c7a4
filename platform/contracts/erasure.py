"""Erasing an organisation as a whole: what each app is told, and what it has to offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias
from uuid import UUID

Counts: TypeAlias = dict[str, int]
"""How many rows of each kind, by the word for them."""


@dataclass(frozen=True)
class Erasure:
    """An organisation that goes, with the people who go with it."""

    organisation: UUID
    people: frozenset[UUID]
    addresses: frozenset[str]
    """The addresses of these people, in the form in which they are kept."""


class Part(Protocol):
    """What an app does about an erasure; a module `erasing` is one. All of it runs in one transaction."""

    def hold(self, organisation: UUID) -> None:
        """Let nobody write of the organisation until the transaction ends, and let work in flight come to nothing."""

    def count(self, erasure: Erasure) -> Counts:
        """How much there is."""

    def erase(self, erasure: Erasure) -> Counts:
        """Delete it; gives how much it was."""
