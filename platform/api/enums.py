"""Enums whose values say what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import graphene


def described(name: str, description: str, members: Mapping[str, tuple[Any, str]]) -> Any:
    """An enum of the schema: for each name the value inside of Plumbline, and what it means."""
    values = Enum(name, {key: value for key, (value, _meaning) in members.items()})  # type: ignore[misc]
    meanings = {key: meaning for key, (_value, meaning) in members.items()}

    def describe(member: Enum | None) -> str:
        return description if member is None else meanings[member.name]

    return graphene.Enum.from_enum(values, description=describe)
