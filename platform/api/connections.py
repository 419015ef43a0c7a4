"""Relay connections whose cursors say after which row to go on, not how many rows to pass over.

So a new row on top neither shifts a page nor makes one come twice, and the last page costs as much as the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from typing import Any

import graphene
from django.core import signing
from django.db.models import F, Field, Model, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext as _

from api.peers import as_peers, for_peers
from api.refusals import Refusal

DEFAULT_SIZE = 20
MAX_SIZE = 100


@dataclass(frozen=True)
class Wanted:
    """Which part of a list is asked for."""

    size: int
    backwards: bool
    """Whether it is the last ones (before `before`) instead of the first ones (after `after`)."""
    after: str | None
    before: str | None


class Edge:
    """One row and where it stands."""

    def __init__(self, node: Any, order: Order) -> None:
        self.node = node
        self._order = order

    @cached_property
    def cursor(self) -> str:
        """Signed only for those who ask."""
        return self._order.cursor(self.node)


@dataclass(frozen=True)
class Page:
    """A part of a list, with what a connection tells about it."""

    edges: list[Edge]
    has_next_page: bool
    has_previous_page: bool
    extra: Any = None
    """What a list of some kind tells beyond its rows."""

    @property
    def page_info(self) -> Page:
        return self

    @property
    def start_cursor(self) -> str | None:
        return self.edges[0].cursor if self.edges else None

    @property
    def end_cursor(self) -> str | None:
        return self.edges[-1].cursor if self.edges else None


class Order:
    """An order of rows in which no two are equal; its name is part of each cursor.

    It should not change while a row lives: whatever moves to another place may be missed by who is turning pages.
    """

    def __init__(self, name: str, *fields: str) -> None:
        self.name = name
        self.fields = fields

    def cursor(self, row: Model) -> str:
        """Where the row stands."""
        values = [_column(row, field).value_to_string(row) for field in self.fields]
        return _signer().sign_object([self.name, *values])

    def page(self, rows: QuerySet[Any], wanted: Wanted) -> Page:
        """The part of these rows that is asked for, by one query."""
        found = self._bounded(rows, wanted).order_by(*self._direction(wanted))
        return self._page(as_peers(found[: wanted.size + 1]), wanted)

    def pages(self, rows: QuerySet[Any], wanted: Wanted, *, by: str, keys: Sequence[Any]) -> dict[Any, Page]:
        """The same for each of the lists into which the field `by` divides the rows, by one query for all of them."""
        if len(keys) == 1:
            return {keys[0]: self.page(rows.filter(**{by: keys[0]}), wanted)}
        order = self._direction(wanted)
        numbered = self._bounded(rows.filter(**{f"{by}__in": keys}), wanted).annotate(
            place=Window(RowNumber(), partition_by=F(by), order_by=order)
        )
        found: dict[Any, list[Any]] = {key: [] for key in keys}
        for row in as_peers(numbered.filter(place__lte=wanted.size + 1).order_by(*order)):
            found[_column(row, by).value_from_object(row)].append(row)
        return {key: self._page(mine, wanted) for key, mine in found.items()}

    def _page(self, found: list[Any], wanted: Wanted) -> Page:
        more, rows = len(found) > wanted.size, found[: wanted.size]
        if wanted.backwards:
            rows.reverse()
        return Page(
            edges=[Edge(row, self) for row in rows],
            has_next_page=wanted.before is not None if wanted.backwards else more,
            has_previous_page=more if wanted.backwards else wanted.after is not None,
        )

    def _direction(self, wanted: Wanted) -> list[str]:
        return [_reversed(field) for field in self.fields] if wanted.backwards else list(self.fields)

    def _bounded(self, rows: QuerySet[Any], wanted: Wanted) -> QuerySet[Any]:
        if wanted.after is not None:
            rows = rows.filter(self._beyond(rows.model, wanted.after, "after", self.fields))
        if wanted.before is not None:
            rows = rows.filter(self._beyond(rows.model, wanted.before, "before", [_reversed(f) for f in self.fields]))
        return rows

    def _beyond(self, model: type[Model], cursor: str, argument: str, fields: Sequence[str]) -> Q:
        """The rows that come after the cursor in the order of these fields."""
        values = [
            _column(model, field).to_python(text)
            for field, text in zip(fields, self._read(cursor, argument), strict=True)
        ]
        names = [field.lstrip("-") for field in fields]
        steps = [
            Q(**dict(zip(names[:n], values[:n], strict=True)))
            & Q(**{f"{names[n]}__{'lt' if fields[n].startswith('-') else 'gt'}": values[n]})
            for n in range(len(fields))
        ]
        # Implied by the rest, and what an index can use.
        first = Q(**{f"{names[0]}__{'lte' if fields[0].startswith('-') else 'gte'}": values[0]})
        return first & reduce(or_, steps)

    def _read(self, cursor: str, argument: str) -> list[str]:
        try:
            name, *values = _signer().unsign_object(cursor)
        # Half a surrogate pair has no bytes that could be signed.
        except (signing.BadSignature, UnicodeEncodeError):
            name, values = None, []
        if name != self.name or len(values) != len(self.fields):
            raise Refusal("BAD_CURSOR", _("“%(argument)s” is not a cursor of this list.") % {"argument": argument})
        return list(values)


def connection(node: Any, description: str, **extra: graphene.Field) -> Any:
    """The connection type of a node type, with its edges; `extra` are fields that tell more about such a list."""
    name = node._meta.name
    edge = type(
        f"{name}Edge",
        (graphene.ObjectType,),
        {
            "Meta": {"description": f"A place in a list of {name} objects."},
            "node": graphene.Field(node, required=True, description="What stands there."),
            "cursor": graphene.String(required=True, description="Names the place: for `after` and `before`."),
        },
    )
    edges = graphene.List(graphene.NonNull(edge), required=True, description="The rows of this page, in their order.")
    page_info = graphene.Field(PageInfo, required=True, description="What lies around this page.")
    fields = {"Meta": {"description": description}, "edges": edges, "page_info": page_info, **extra}
    return type(f"{name}Connection", (graphene.ObjectType,), fields)


class PageInfo(graphene.ObjectType):
    """What lies around a page of a list."""

    has_next_page = graphene.Boolean(
        required=True,
        description="Whether rows follow. When you page backwards it tells only that you came from a page after.",
    )
    has_previous_page = graphene.Boolean(
        required=True,
        description="Whether rows come before. When you page forwards it tells only that you came from a page before.",
    )
    start_cursor = graphene.String(description="The cursor of the first row: for `before`. Null on an empty page.")
    end_cursor = graphene.String(description="The cursor of the last row: for `after`. Null on an empty page.")


def page_arguments() -> dict[str, Any]:
    """The arguments of each connection."""
    return {
        "first": graphene.Int(
            description=f"How many rows from the start, 1 to {MAX_SIZE}; {DEFAULT_SIZE} if not said."
        ),
        "after": graphene.String(description="Only rows after this cursor."),
        "last": graphene.Int(description=f"How many rows from the end, 1 to {MAX_SIZE}, instead of `first`."),
        "before": graphene.String(description="Only rows before this cursor."),
    }


def wanted(
    first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
) -> Wanted:
    """The arguments as one; raises a Refusal for those that make no sense."""
    if first is not None and last is not None:
        raise Refusal("BAD_PAGE", _("Give either “first” or “last”."))
    argument, size = ("first", DEFAULT_SIZE if first is None else first) if last is None else ("last", last)
    if not 1 <= size <= MAX_SIZE:
        message = _("“%(argument)s” has to be from 1 to %(limit)d.")
        raise Refusal("BAD_PAGE", message % {"argument": argument, "limit": MAX_SIZE})
    return Wanted(size, argument == "last", after, before)


def page_of_each(row: Model, order: Order, rows: QuerySet[Any], by: str, arguments: Mapping[str, Any]) -> Page:
    """The page of one row's list, loaded together with those of its peers.

    `by` is the field that leads to the row; `rows` have to be the same for all of them.
    """
    asked = wanted(**arguments)

    def load(peers: list[Model]) -> dict[Any, Page]:
        return order.pages(rows, asked, by=by, keys=[peer.pk for peer in peers])

    page = for_peers(row, (order.name, by, asked), load)
    assert page is not None
    return page


def _column(model: Model | type[Model], field: str) -> Field[Any, Any]:
    column = model._meta.get_field(field.lstrip("-"))
    assert isinstance(column, Field)
    return column


def _reversed(field: str) -> str:
    return field[1:] if field.startswith("-") else f"-{field}"


def _signer() -> signing.Signer:
    # Signed, so that whatever comes back is something that was given out, and needs no checking of its own.
    return signing.Signer(salt="api.cursor")
