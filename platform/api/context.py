"""What resolvers and subscriptions know about who is asking: `info.context`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from api.metering import Meter


@dataclass(frozen=True)
class Context:
    """Made anew for each operation, and for each event of a subscription."""

    user: AbstractBaseUser | AnonymousUser
    """Who is asking: a person of `accounts`, or AnonymousUser. On a WebSocket as of the last look-up (seconds ago)."""
    request: HttpRequest | None
    """The HTTP request; None on a WebSocket."""
    correlation_id: UUID
    """The id in the log, in the events that a mutation publishes, and in the `X-Request-ID` of the answer."""
    loaders: dict[Any, Any] = field(default_factory=dict, repr=False)
    """For the apps: DataLoaders and caches of this operation or event, by any key of their own. Empty at first."""
    meter: Meter = field(default_factory=Meter, repr=False)
    """What it takes."""

    def for_next_event(self, user: AbstractBaseUser | AnonymousUser) -> Context:
        """The same for the next event of a subscription, without what was loaded for the last one."""
        return replace(self, user=user, loaders={})
