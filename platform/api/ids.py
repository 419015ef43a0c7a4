"""Global ids: which object of which type, in one opaque text that a client hands back as it got it."""

from __future__ import annotations

import base64
import binascii
from uuid import UUID


def encode(type_name: str, key: UUID | str) -> str:
    """The id under which `node` finds the object."""
    return base64.urlsafe_b64encode(f"{type_name}:{key}".encode()).decode().rstrip("=")


def decode(text: str) -> tuple[str, str] | None:
    """Type and key; None for what is no id, which is to be treated like the id of nothing."""
    try:
        type_name, _colon, key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    # One spelling for one object: caches of clients go by the text.
    return (type_name, key) if encode(type_name, key) == text else None


NOTHING = UUID(int=0)
"""The key of no object."""


def key_of(type_name: str, text: str) -> UUID:
    """The key of an object of this type whose keys are UUIDs; NOTHING for any other id."""
    found = decode(text)
    return (found is not None and found[0] == type_name and uuid_or_none(found[1])) or NOTHING


def uuid_or_none(key: str) -> UUID | None:
    """The UUID that is spelled like this."""
    try:
        found = UUID(key)
    except ValueError:
        return None
    return found if str(found) == key else None
