"""What an operation costs, in steps: a step is one value that a client gave, or one field that is looked up.

Variables count by what is in them, once for reading them and once more at each place that uses them: neither shows in
the text. Values that the text itself gives count where they are used. What is inside a list counts for each of its
rows: before the operation as if lists were as long as they may be (`cost_of`), and while it runs as long as they are
(`api.counting`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    is_list_type,
    is_non_null_type,
)

PAGE = 20
"""How long a connection counts that is asked for without `first` and `last`, and has no default for them."""
LIST = 10
"""How long a list without pages counts."""
ROW = 10
"""What a row of a connection counts by itself, for it is fetched and made: as long as so many fields take."""


def cost_of(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
) -> int:
    """The cost of a valid operation with these variables, as coerced; without reading them (`values_of`)."""
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    root = schema.get_root_type(operation.operation)
    return _Pricing(schema, fragments, variables).selections(operation.selection_set, root)


def values_in(given: object) -> int:
    """How many values these are: each text, number, truth value and null, and each list and object with what is in it.

    Of any depth, for it does not call itself.
    """
    count, waiting = 0, [given]
    while waiting:
        value = waiting.pop()
        count += 1
        if isinstance(value, Mapping):
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
    return count


def values_of(variables: Mapping[str, Any]) -> int:
    """How many values these variables have; 0 without any."""
    return values_in(variables) - 1


class Inputs:
    """How many values a field is given by its arguments, whether they are in the text or in variables."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self._variables = variables
        self._sizes: dict[str, int] = {}

    def of(self, field: FieldNode) -> int:
        """The values of all arguments of this field."""
        count, waiting = 0, [argument.value for argument in field.arguments]
        while waiting:
            value: ValueNode = waiting.pop()
            if isinstance(value, VariableNode):
                count += self._size(value.name.value)
                continue
            count += 1
            if isinstance(value, ListValueNode):
                waiting.extend(value.values)
            elif isinstance(value, ObjectValueNode):
                waiting.extend(member.value for member in value.fields)
        return count

    def _size(self, name: str) -> int:
        if name not in self._sizes:
            self._sizes[name] = values_in(self._variables.get(name))
        return self._sizes[name]


def own_steps(parent: GraphQLNamedType | None, field: FieldNode) -> int:
    """The steps of a field without what it is given and what is inside."""
    return ROW if field.name.value == "node" and parent is not None and parent.name.endswith("Edge") else 1


def _is_list(field: GraphQLField) -> bool:
    kind: Any = field.type
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)


class _Pricing:
    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables
        self._inputs = Inputs(variables)

    def selections(self, selections: SelectionSetNode | None, parent: GraphQLNamedType | None) -> int:
        total = 0
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                total += self._field(selection, parent)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self._schema.get_type(condition.name.value) if condition else parent
                total += self.selections(selection.selection_set, inner)
            elif isinstance(selection, FragmentSpreadNode):
                fragment = self._fragments[selection.name.value]
                inner = self._schema.get_type(fragment.type_condition.name.value)
                total += self.selections(fragment.selection_set, inner)
        return total

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> int:
        fields = parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
        field = fields.get(node.name.value)
        if field is None:
            # Of the schema itself: bounded by MaxIntrospectionDepthRule.
            return 1 + self._inputs.of(node) + self.selections(node.selection_set, None)
        inside = self.selections(node.selection_set, get_named_type(field.type))
        return own_steps(parent, node) + self._inputs.of(node) + inside * self._length(node, field, parent)

    def _length(self, node: FieldNode, field: GraphQLField, parent: GraphQLNamedType | None) -> int:
        if "first" in field.args or "last" in field.args:
            return self._page(node, field)
        # The pages of a connection are counted at the field that returns it.
        if not _is_list(field) or (parent and parent.name.endswith("Connection")):
            return 1
        return LIST

    def _page(self, node: FieldNode, field: GraphQLField) -> int:
        given = {argument.name.value: argument.value for argument in node.arguments}
        for name in ("first", "last"):
            value = given.get(name)
            if isinstance(value, IntValueNode):
                return max(int(value.value), 0)
            if isinstance(value, VariableNode) and isinstance(self._variables.get(value.name.value), int):
                return max(int(self._variables[value.name.value]), 0)
        defaults = (field.args[name].default_value for name in ("first", "last") if name in field.args)
        return next((one for one in defaults if one is not Undefined and one), PAGE)
