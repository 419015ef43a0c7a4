"""Limits on the text of an operation, checked before anything that costs more than reading it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from api.errors import Refused, refusal


@dataclass(frozen=True)
class Limits:
    """The most that a document may have; each is a setting, GRAPHQL_MAX_ and its name."""

    length: int
    """Characters."""
    tokens: int
    depth: int
    """Levels of fields."""
    aliases: int
    directives: int
    fields: int
    """Fields once all fragments are put in place."""
    overlaps: int
    """Pairs of fields with the same name in the answer: validation compares each with each."""
    cost: int
    """Steps: values given and fields looked up, where a list counts as long as it may be (see `api.cost`)."""


def current() -> Limits:
    """The limits that the settings give."""
    return Limits(
        length=settings.GRAPHQL_MAX_LENGTH,
        tokens=settings.GRAPHQL_MAX_TOKENS,
        depth=settings.GRAPHQL_MAX_DEPTH,
        aliases=settings.GRAPHQL_MAX_ALIASES,
        directives=settings.GRAPHQL_MAX_DIRECTIVES,
        fields=settings.GRAPHQL_MAX_FIELDS,
        overlaps=settings.GRAPHQL_MAX_OVERLAPS,
        cost=settings.GRAPHQL_MAX_COST,
    )


def exceeded(limit: str, maximum: int) -> Refused:
    """The refusal of an operation that goes beyond a limit."""
    message = _("The operation is too large: its %(limit)s may be %(maximum)s at most.")
    return refusal(message % {"limit": limit, "maximum": maximum}, "LIMIT_EXCEEDED", limit=limit, maximum=maximum)


def check(document: DocumentNode, limits: Limits) -> None:
    """Raise Refused for the first limit that the document breaks. Takes time in proportion to the limits at most."""
    measured = _Measure(document)
    try:
        found = measured.all()
        for name, value in found.items():
            if value > getattr(limits, name):
                raise exceeded(name, getattr(limits, name))
        # Walks what the fragments expand to, which by now is known to be small.
        if measured.overlaps() > limits.overlaps:
            raise exceeded("overlaps", limits.overlaps)
    except RecursionError:
        pass
    else:
        return
    raise exceeded("depth", limits.depth)


@dataclass(frozen=True)
class _Size:
    depth: int = 0
    fields: int = 0


class _Measure:
    """Measures each fragment once, however often it is spread."""

    def __init__(self, document: DocumentNode) -> None:
        definitions: list[Any] = list(document.definitions)
        self._operations = [one for one in definitions if isinstance(one, OperationDefinitionNode)]
        self._fragments = {one.name.value: one for one in definitions if isinstance(one, FragmentDefinitionNode)}
        self._sizes: dict[str, _Size] = {}
        self._open: set[str] = set()
        self._unspread: list[str] = []
        self._aliases = 0
        self._directives = sum(len(one.directives) for one in definitions if hasattr(one, "selection_set"))
        self._directives += sum(
            len(variable.directives) for one in self._operations for variable in one.variable_definitions
        )

    def all(self) -> dict[str, int]:
        """What the document has of each."""
        sizes = [self._size(one.selection_set) for one in self._operations]
        # The standard rules look into fragments that nobody spreads, too.
        self._unspread = [name for name in self._fragments if name not in self._sizes]
        sizes += [self._fragment(name) for name in self._unspread]
        return {
            "aliases": self._aliases,
            "directives": self._directives,
            "depth": max((size.depth for size in sizes), default=0),
            "fields": sum(size.fields for size in sizes),
        }

    def overlaps(self) -> int:
        """How many pairs of fields meet under one name in the answer; to be asked after `all`."""
        roots = [one.selection_set for one in self._operations]
        roots += [self._fragments[name].selection_set for name in self._unspread]
        return sum(self._overlaps([root]) for root in roots)

    def _size(self, selections: SelectionSetNode | None) -> _Size:
        if selections is None:
            return _Size()
        depth = fields = 0
        for selection in selections.selections:
            self._directives += len(selection.directives)
            if isinstance(selection, FieldNode):
                self._aliases += selection.alias is not None
                inside = self._size(selection.selection_set)
                inside = _Size(inside.depth + 1, inside.fields + 1)
            elif isinstance(selection, InlineFragmentNode):
                inside = self._size(selection.selection_set)
            else:
                assert isinstance(selection, FragmentSpreadNode)
                inside = self._fragment(selection.name.value)
            depth, fields = max(depth, inside.depth), fields + inside.fields
        return _Size(depth, fields)

    def _fragment(self, name: str) -> _Size:
        if name in self._open:
            message = _("The fragment %(name)s spreads itself.") % {"name": name}
            raise refusal(message, "GRAPHQL_VALIDATION_FAILED")
        if name not in self._fragments:
            return _Size()  # The standard rules say so.
        if name not in self._sizes:
            self._open.add(name)
            self._sizes[name] = self._size(self._fragments[name].selection_set)
            self._open.remove(name)
        return self._sizes[name]

    def _overlaps(self, merged: Iterable[SelectionSetNode]) -> int:
        by_name: defaultdict[str, list[FieldNode]] = defaultdict(list)
        spread: set[str] = set()
        waiting = list(merged)
        while waiting:
            for selection in waiting.pop().selections:
                if isinstance(selection, FieldNode):
                    by_name[(selection.alias or selection.name).value].append(selection)
                elif isinstance(selection, InlineFragmentNode):
                    waiting.append(selection.selection_set)
                elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in spread:
                    spread.add(selection.name.value)
                    if selection.name.value in self._fragments:
                        waiting.append(self._fragments[selection.name.value].selection_set)
        pairs = 0
        for fields in by_name.values():
            pairs += len(fields) * (len(fields) - 1) // 2
            inside = [field.selection_set for field in fields if field.selection_set]
            if inside:
                pairs += self._overlaps(inside)
        return pairs
