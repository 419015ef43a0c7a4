"""Errors that a client is meant to read: a code to act on, and a sentence."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from graphql import GraphQLError


class Refusal(GraphQLError):
    """The operation asks for what is not given; `code` is in the error's extensions."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, extensions={"code": code})


def person(info: Any) -> Any:
    """The user who is asking; raises a Refusal for those who are not signed in."""
    user = info.context.user
    if not user.is_authenticated:
        raise Refusal("UNAUTHENTICATED", _("Sign in first."))
    return user
