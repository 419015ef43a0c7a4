"""What a client sends for one operation, over HTTP and WebSocket alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _


class BadParametersError(Exception):
    """The parameters have wrong types; the message is for the client."""


@dataclass(frozen=True)
class Parameters:
    """The parameters of one operation, with the right types and nothing else checked."""

    query: str | None = None
    """The text; None where `identifier` stands for it."""
    identifier: str | None = None
    """The id of a registered operation."""
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


def read_json(text: str | bytes) -> Any:
    """What a client sent as JSON. Raises ValueError, also for the NaN and Infinity that Python would take and give
    back to clients that don't; and RecursionError where it is too deep."""
    return json.loads(text, parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def parse(sent: Any) -> Parameters:
    """Read the members of a request or of a subscribe message. Raises BadParametersError."""
    if isinstance(sent, list):
        raise BadParametersError(_("Send one operation at a time: batches are not supported."))
    if not isinstance(sent, dict):
        raise BadParametersError(_("Send a JSON object with the operation."))
    extensions = _optional(sent, "extensions", dict) or {}
    query = _optional(sent, "query", str)
    identifier = _optional(sent, "documentId", str) or _persisted(extensions)
    if query is None and identifier is None:
        raise BadParametersError(_('Give the operation in "query".'))
    return Parameters(
        query=query,
        identifier=identifier,
        operation_name=_optional(sent, "operationName", str) or None,
        variables=_optional(sent, "variables", dict) or {},
    )


def _persisted(extensions: Mapping[str, Any]) -> str | None:
    """The id in the form of Apollo's clients."""
    persisted = _optional(extensions, "persistedQuery", dict) or {}
    digest: str | None = _optional(persisted, "sha256Hash", str)
    return digest


def _optional(sent: Mapping[str, Any], name: str, kind: type) -> Any:
    value = sent.get(name)
    if value is not None and not isinstance(value, kind):
        expected = _("an object") if kind is dict else _("a string")
        raise BadParametersError(_('"%(name)s" has to be %(kind)s.') % {"name": name, "kind": expected})
    return value
