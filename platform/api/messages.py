"""graphql-transport-ws, its messages and close codes.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from api import parameters
from api.parameters import BadParametersError, Parameters

SUBPROTOCOL = "graphql-transport-ws"

BAD_MESSAGE = 4400
LOG_IN = 4401
"""Nobody is logged in, or no longer: clients give up until the person has logged in."""
REFRESH = 4403
"""What the person may see has changed: clients connect again at once."""
BAD_SUBPROTOCOL = 4406
INIT_TIMEOUT = 4408
SUBSCRIBER_EXISTS = 4409
TOO_MANY_INITS = 4429
INTERNAL = 4500
TRY_AGAIN = 4503
"""The client was too slow, or the database is away: clients connect again and catch up. Daphne can't say 1013, nor 1012
when it stops, for it takes 1000 and 3000 to 4999 only."""

MAX_ID = 128
"""Characters of an operation's id."""


class Close(Exception):
    """The connection ends, for this reason; browsers take 123 bytes of it."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        # It may quote an id, and half a surrogate pair has no bytes.
        self.reason = reason.encode(errors="replace")[:123].decode(errors="ignore")


@dataclass(frozen=True)
class Message:
    """A message of a client, with the right types."""

    type: str
    id: str = ""
    payload: Mapping[str, Any] | None = None
    parameters: Parameters | None = None
    """Of a subscribe message, and of no other."""


def read(text: str) -> Message:
    """Read what a client sent. Raises Close for what the protocol does not know."""
    try:
        sent = parameters.read_json(text)
    except (ValueError, RecursionError):
        raise _bad(_("The message is no JSON.")) from None
    if not isinstance(sent, dict) or not isinstance(sent.get("type"), str):
        raise _bad(_('The message is no object with a "type".'))
    kind, payload = sent["type"], sent.get("payload")
    if kind in ("connection_init", "ping", "pong"):
        if payload is not None and not isinstance(payload, dict):
            raise _bad(_('"payload" has to be an object.'))
        return Message(kind, payload=payload)
    if kind == "complete":
        return Message(kind, id=_id(sent))
    if kind == "subscribe":
        return Message(kind, id=_id(sent), parameters=_parameters(payload))
    raise _bad(_("There is no message of this type."))


def written(kind: str, identifier: str = "", payload: Any = None) -> str:
    """A message to a client."""
    message: dict[str, Any] = {"type": kind}
    if identifier:
        message["id"] = identifier
    if payload is not None:
        message["payload"] = payload
    return json.dumps(message, separators=(",", ":"))


def _id(sent: Mapping[str, Any]) -> str:
    identifier = sent.get("id")
    if not isinstance(identifier, str) or not 0 < len(identifier) <= MAX_ID:
        raise _bad(_('"id" has to be a string of %(length)s characters at most.') % {"length": MAX_ID})
    return identifier


def _parameters(payload: Any) -> Parameters:
    try:
        return parameters.parse(payload)
    except BadParametersError as error:
        raise _bad(str(error)) from None


def _bad(reason: str) -> Close:
    return Close(BAD_MESSAGE, reason)
