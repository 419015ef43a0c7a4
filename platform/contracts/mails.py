"""What `mailing` tells its worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal
from uuid import UUID

from contracts.cloudevents import Event

NO_ORGANISATION = UUID(int=0)
"""A mail goes to an address, which may be of a person in several organisations, or in none."""


@dataclass(frozen=True, kw_only=True)
class MailEvent(Event):
    """A mail is to be sent. Recipient, subject and text are in the table of mails alone, never in an event."""

    TYPE: ClassVar[str] = "MailEvent"

    mail: UUID
    """Names the row of the mail."""
    state: Literal["waiting"] = "waiting"

    @property
    def source(self) -> str:
        return "mailing"

    @property
    def key(self) -> str:
        """Each mail has a key of its own: one that can't be sent holds up no other."""
        return str(self.mail)

    @property
    def organisation_id(self) -> UUID:
        return NO_ORGANISATION
