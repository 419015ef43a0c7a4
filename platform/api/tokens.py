"""The token that a client sends instead of a cookie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def token_in(headers: Mapping[str, Any]) -> str | None:
    """The token among headers, or the members of a `connection_init` payload; an empty one where none is readable.

    `Authorization: Bearer <token>` or `X-Session-Token: <token>`, whatever the case of their names. None without any.
    """
    given = {name.lower(): value for name, value in headers.items()}
    token = given.get("x-session-token")
    if token is None:
        authorization = given.get("authorization")
        if authorization is None:
            return None
        scheme, _space, token = authorization.partition(" ") if isinstance(authorization, str) else ("", "", "")
        if scheme.lower() != "bearer":
            return ""
    return token.strip() if isinstance(token, str) else ""
