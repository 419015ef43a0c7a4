"""Counts the steps of an operation while it is executed, and ends it where they are used up.

Before it runs, the length of a list can only be guessed (`api.cost`): ten rows may be two hundred. Nor can its text
tell what a field takes: a verdict on two hundred answers is one field. So the time that it takes counts, too
(`api.metering`), where that comes to more.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from graphql import ExecutionContext, FieldNode, GraphQLObjectType, located_error
from graphql.execution.execute import get_field_def
from graphql.pyutils import Path

from api import limits
from api.cost import Inputs, own_steps, values_of
from api.metering import Meter


class _Spent(BaseException):
    """No step is left. Nothing that handles a resolver's failure may take it for one, and go on with the next row."""


class CountedExecution(ExecutionContext):
    """Executes with GRAPHQL_MAX_COST steps at most.

    Where they are used up, the field of the operation's root that was being worked on has an error instead of a value,
    and so has each after it. Those before it keep theirs: a mutation that was made is told.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._inputs = Inputs(self.variable_values)
        self._meter: Meter = self.context_value.meter
        self._meter.counted += values_of(self.variable_values)
        self._most = settings.GRAPHQL_MAX_COST
        self._is_spent = False
        self._weights: dict[int, int] = {}

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_nodes: list[FieldNode], path: Path
    ) -> Any:
        """Count the field and its arguments, then resolve it."""
        node = field_nodes[0]
        try:
            self._count(parent_type, node)
            return super().execute_field(parent_type, source, field_nodes, path)
        except _Spent:
            definition = get_field_def(self.schema, parent_type, node)
            if path.prev is not None or definition is None:
                raise
        (error,) = limits.exceeded("cost", self._most).errors
        self.handle_field_error(located_error(error, field_nodes, path.as_list()), definition.type, path)
        return None

    def _count(self, parent_type: GraphQLObjectType, node: FieldNode) -> None:
        weight = self._weights.get(id(node))
        if weight is None:
            weight = self._weights[id(node)] = own_steps(parent_type, node) + self._inputs.of(node)
        self._meter.counted += weight
        # What takes long is an object, or inside one.
        self._is_spent |= self._meter.counted > self._most
        self._is_spent |= node.selection_set is not None and self._meter.timed > self._most
        if self._is_spent:
            raise _Spent
