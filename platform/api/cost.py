"""What an operation may cost: how many values would be looked up if every list were as long as it may be."""

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
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    VariableNode,
    get_named_type,
    is_list_type,
    is_non_null_type,
)

PAGE = 20
"""How long a connection counts that is asked for without `first` and `last`, and has no default for them."""
LIST = 10
"""How long a list without pages counts."""


def cost_of(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
) -> int:
    """The cost of a valid operation with these variables, as coerced."""
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    root = schema.get_root_type(operation.operation)
    return _Pricing(schema, fragments, variables).selections(operation.selection_set, root)


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
            return 1 + self.selections(node.selection_set, None)
        inside = self.selections(node.selection_set, get_named_type(field.type))
        return 1 + inside * self._length(node, field, parent)

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
