"""Walking the GraphQL schema: selections of everything, so that what is new is covered without anybody's doing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import AnonymousUser
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    execute,
    get_named_type,
    is_composite_type,
    is_object_type,
    is_required_argument,
    parse,
    validate,
)

from accounts.models import User
from api.context import Context
from config.schema import schema as graphene_schema

schema: GraphQLSchema = graphene_schema.graphql_schema

WHOLE_PAGE = "(first: 100)"


@dataclass
class Seen:
    """Execution middleware that notes which fields gave something: (type, field)."""

    fields: set[tuple[str, str]] = field(default_factory=set)

    def resolve(self, next_: Any, root: Any, info: Any, **arguments: Any) -> Any:
        result = next_(root, info, **arguments)
        if result is not None and result != []:
            self.fields.add((info.parent_type.name, info.field_name))
        return result


def context_of(user: User | AnonymousUser) -> Context:
    """As the server makes it, for a person loaded anew."""
    return Context(user=user, request=None, correlation_id=uuid4())


@cache
def parsed(document: str) -> DocumentNode:
    """The document, which is valid."""
    found = parse(document)
    assert validate(schema, found) == []
    return found


def ask(
    user: User | AnonymousUser, document: str, *, root: Any = None, seen: Seen | None = None, **variables: Any
) -> ExecutionResult:
    """Execute a valid operation as this person."""
    found = execute(
        schema,
        parsed(document),
        root_value=root,
        context_value=context_of(user),
        variable_values=variables,
        middleware=[seen] if seen else None,
    )
    assert isinstance(found, ExecutionResult)
    return found


def data(user: User | AnonymousUser, document: str, **options: Any) -> Any:
    """The answer to a valid operation that has no error."""
    result = ask(user, document, **options)
    assert result.errors is None, result.errors
    return result.data


def everything(of: GraphQLNamedType, expanded: set[str] | None = None) -> str:
    """A selection of every field of a type and of all types below it.

    The relations of each type are followed in one place; wherever else it comes, it is asked for its own values.
    """
    expanded = set() if expanded is None else expanded
    if not is_composite_type(of):
        return ""
    if not isinstance(of, GraphQLObjectType):
        parts = (f"... on {each.name} {everything(each, expanded)}" for each in schema.get_possible_types(of))  # type: ignore[arg-type]
        return f"{{ __typename {' '.join(parts)} }}"
    return f"{{ __typename {' '.join(_selections(of, expanded))} }}"


def _selections(of: GraphQLObjectType, expanded: set[str]) -> Iterator[str]:
    is_new = of.name not in expanded
    if not of.name.endswith(("Connection", "Edge")):
        expanded.add(of.name)
    for name, each in of.fields.items():
        target = get_named_type(each.type)
        if is_new or not is_composite_type(target):
            # Whatever differs between the types of an interface would be a conflict under one name.
            yield f"{of.name}_{name}: {name}{page_of(each)} {everything(target, expanded)}"


def page_of(of: GraphQLField) -> str:
    """The arguments of a field in a selection of everything; fails where one is needed that nobody knows."""
    needed = [name for name, argument in of.args.items() if is_required_argument(argument)]
    assert needed == [], f"say how to select a field with the arguments {needed}"
    return WHOLE_PAGE if "first" in of.args else ""


@cache
def root_selection(kind: str, name: str, argument: str = "", without: frozenset[str] = frozenset()) -> str:
    """A whole operation: one root field with everything below it, under the name `found`.

    With `argument` the field gets that one, from a variable of the same name. The relations of the types in `without`
    are left out.
    """
    root = _root(kind).fields[name]
    below = everything(get_named_type(root.type), set(without))
    if not argument:
        return f"{kind} {{ found: {name}{page_of(root)} {below} }}"
    return f"{kind} (${argument}: {root.args[argument].type}) {{ found: {name}({argument}: ${argument}) {below} }}"


def _root(kind: str) -> GraphQLObjectType:
    root = {"query": schema.query_type, "mutation": schema.mutation_type, "subscription": schema.subscription_type}[
        kind
    ]
    assert root is not None
    return root


def reachable(kind: str, name: str = "") -> set[tuple[str, str]]:
    """All fields that operations of this kind can ask for, or those that start from one root field: (type, field)."""
    found: set[str] = set()
    waiting: list[GraphQLNamedType] = [get_named_type(_root(kind).fields[name].type) if name else _root(kind)]
    while waiting:
        each = waiting.pop()
        if each.name in found or not is_composite_type(each):
            continue
        found.add(each.name)
        if isinstance(each, GraphQLObjectType):
            waiting += [get_named_type(field.type) for field in each.fields.values()]
        else:
            waiting += schema.get_possible_types(each)  # type: ignore[arg-type]
    return {pair for pair in all_fields() if pair[0] in found}


def root_fields(kind: str) -> dict[str, GraphQLField]:
    """The fields from which operations of a kind start."""
    return dict(_root(kind).fields)


def id_arguments(kind: str) -> list[tuple[str, str]]:
    """(root field, argument) for each argument that is an id."""
    return [
        (name, argument)
        for name, field in _root(kind).fields.items()
        for argument, given in field.args.items()
        if get_named_type(given.type).name == "ID"
    ]


def id_arguments_below_the_roots() -> list[tuple[str, str, str]]:
    """(type, field, argument) for each argument that is an id of a field from which no operation starts."""
    roots = {_root(kind).name for kind in ("query", "mutation", "subscription")}
    return [
        (each.name, name, argument)
        for each in object_types()
        for name, field in each.fields.items()
        for argument, given in field.args.items()
        if get_named_type(given.type).name == "ID" and each.name not in roots
    ]


def relations_of(kind: str) -> set[tuple[str, str]]:
    """The relations that operations of this kind can follow: (type, field)."""
    composite = {
        (each.name, name)
        for each in object_types()
        for name, field in each.fields.items()
        if is_composite_type(get_named_type(field.type))
    }
    return composite & reachable(kind)


def relations() -> dict[tuple[str, str], str]:
    """For each relation, (type, field), a query that follows it, on the shortest way from a list at the root."""
    found: dict[tuple[str, str], str] = {}
    waiting = [(_root("query"), "%s")]
    while waiting:
        of, way = waiting.pop(0)
        for name, each in of.fields.items():
            target = get_named_type(each.type)
            if not isinstance(target, GraphQLObjectType) or (of.name, name) in found:
                continue
            if of.name == "Query" and any(map(is_required_argument, each.args.values())):
                continue
            here = way % f"{{ {name}{page_of(each)} %s }}"
            found[of.name, name] = here % f"{{ {' '.join(_leaves(target))} }}"
            waiting.append((target, here))
    return found


def _leaves(of: GraphQLObjectType) -> list[str]:
    own = [name for name, each in of.fields.items() if not is_composite_type(get_named_type(each.type))]
    return ["__typename", *own]


def object_types() -> list[GraphQLObjectType]:
    return [each for name, each in schema.type_map.items() if is_object_type(each) and not name.startswith("__")]  # type: ignore[misc]


def all_fields() -> set[tuple[str, str]]:
    return {(each.name, name) for each in object_types() for name in each.fields}


def node_types() -> set[str]:
    return {each.name for each in schema.get_possible_types(schema.type_map["Node"])}  # type: ignore[arg-type]


def texts_in(found: Any) -> Iterator[str]:
    """Every text in an answer."""
    if isinstance(found, dict):
        for each in found.values():
            yield from texts_in(each)
    elif isinstance(found, list):
        for each in found:
            yield from texts_in(each)
    elif isinstance(found, str):
        yield found
