"""What `accounts` tells of organisations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal
from uuid import UUID

from contracts.cloudevents import Event


@dataclass(frozen=True, kw_only=True)
class OrganisationEvent(Event):
    """An organisation was erased as a whole. Everything that was kept of it went in the transaction that stored this:
    what is left to do is outside of the database, such as closing the sockets of its people."""

    TYPE: ClassVar[str] = "OrganisationEvent"

    organisation: UUID
    state: Literal["erased"] = "erased"

    @property
    def source(self) -> str:
        return "accounts"

    @property
    def key(self) -> str:
        return str(self.organisation)

    @property
    def organisation_id(self) -> UUID:
        return self.organisation
