"""Operations that were registered beforehand: with a list of them, nothing else is executed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from api.errors import refusal


class ListUnreadableError(Exception):
    """The file of GRAPHQL_OPERATIONS cannot be read, or is none of the known forms."""


@dataclass(frozen=True)
class Operations:
    """The registered operations."""

    by_id: Mapping[str, str]
    texts: frozenset[str]


def text_of(query: str | None, identifier: str | None) -> str:
    """The text of the operation that a client asks for, by its text or by the id it was registered under.

    Raises Refused where neither is given, and for anything that is not on the list where there is one.
    """
    listed = operations(settings.GRAPHQL_OPERATIONS)
    if query is not None:
        if listed is not None and query not in listed.texts:
            raise refusal(_("Only registered operations are executed here."), "OPERATION_NOT_REGISTERED")
        return query
    text = listed.by_id.get((identifier or "").removeprefix("sha256:")) if listed else None
    if text is None:
        # The message is what Apollo's clients look for.
        raise refusal("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
    return text


@lru_cache(maxsize=1)
def operations(path: str) -> Operations | None:
    """The operations of a file; None without a path: then any operation is executed.

    Reads what `graphql-codegen` writes for persisted documents ({id: text}), and Apollo's manifest.
    Raises ListUnreadableError.
    """
    if not path:
        return None
    try:
        listed = _read(json.loads(Path(path).read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise ListUnreadableError(str(error)) from error
    by_id = {identifier.removeprefix("sha256:"): text for identifier, text in listed.items()}
    return Operations(by_id, frozenset(by_id.values()))


def _read(content: Any) -> dict[str, str]:
    if isinstance(content, dict) and content.get("format") == "apollo-persisted-query-manifest":
        entries = content.get("operations")
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ListUnreadableError("the manifest has no list of operations")
        content = {entry.get("id"): entry.get("body") for entry in entries}
    if not isinstance(content, dict) or not all(
        isinstance(identifier, str) and isinstance(text, str) for identifier, text in content.items()
    ):
        raise ListUnreadableError("it is neither {id: text} nor a manifest of Apollo")
    return content
