"""Loading for many at once: what one row of a list asks for is loaded for all rows that came with it.

Resolvers see one row at a time. Here rows remember with whom they were loaded, their peers, so that the first of them
that asks for a relation fetches it for all, by one query; their answers are peers of one another in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, TypeVar

from django.db.models import Model, prefetch_related_objects

Row = TypeVar("Row", bound=Model)
T = TypeVar("T")

_PEERS, _LOADED = "_peers", "_loaded_for_peers"


def as_peers(rows: Iterable[Row]) -> list[Row]:
    """Let these rows load together from now on."""
    peers = list(rows)
    for row in peers:
        row.__dict__[_PEERS] = peers
    return peers


def related(row: Model, name: str) -> Any:
    """The object of a foreign key (None where there is none), or the list of a reverse one."""
    field = row._meta.get_field(name)
    if field.one_to_many:
        return for_peers(row, name, lambda peers: _children(peers, name))
    assert field.many_to_one
    return for_peers(row, name, lambda peers: _parents(peers, name))


def for_peers(row: Row, name: Hashable, load: Callable[[list[Row]], Mapping[Any, T]]) -> T | None:
    """What `load` finds for this row's primary key; called once for the row and all its peers.

    Rows that are found are peers of one another.
    """
    loaded = row.__dict__.setdefault(_LOADED, {})
    if name not in loaded:
        peers: list[Row] = row.__dict__.get(_PEERS) or [row]
        found = load(peers)
        as_peers({each.pk: each for each in found.values() if isinstance(each, Model)}.values())
        for peer in peers:
            peer.__dict__.setdefault(_LOADED, {})[name] = found.get(peer.pk)
    result: T | None = loaded[name]
    return result


def _children(parents: list[Row], name: str) -> dict[Any, list[Model]]:
    prefetch_related_objects(parents, name)
    found = {parent.pk: list(getattr(parent, name).all()) for parent in parents}
    as_peers(child for children in found.values() for child in children)
    return found


def _parents(children: list[Row], name: str) -> dict[Any, Model | None]:
    prefetch_related_objects(children, name)
    return {child.pk: getattr(child, name) for child in children}
