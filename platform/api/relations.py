"""Fields that one app gives to another's types, without knowing it."""

from __future__ import annotations

from typing import Any


def relate(graphene_type: Any, **fields: Any) -> None:
    """Add fields to a type, by name; before the schema is made, by whoever knows both sides."""
    known = graphene_type._meta.fields
    if twice := known.keys() & fields.keys():
        raise ValueError(f"{graphene_type.__name__} has these already: {', '.join(sorted(twice))}")
    known.update(fields)
