"""What the standard rules leave open about an operation."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
)

from api.errors import refusal

CONDITIONS = frozenset({"skip", "include"})


def refuse_conditional_subscriptions(document: DocumentNode) -> None:
    """Raise Refused for a subscription whose field may be left out, as newer editions of the specification do.

    Without its field there is nothing to subscribe to, and graphql-core fails over that instead of saying so. To be
    asked before the standard rules, of a document whose fragments do not spread themselves.
    """
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    for one in document.definitions:
        if isinstance(one, OperationDefinitionNode) and one.operation is OperationType.SUBSCRIPTION:
            for selection in _at_the_root(one.selection_set, fragments):
                if any(directive.name.value in CONDITIONS for directive in selection.directives):
                    message = _("The field of a subscription takes neither @skip nor @include.")
                    raise refusal(message, "GRAPHQL_VALIDATION_FAILED")


def _at_the_root(selections: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode]) -> Iterator[SelectionNode]:
    for selection in selections.selections:
        yield selection
        if isinstance(selection, InlineFragmentNode):
            yield from _at_the_root(selection.selection_set, fragments)
        elif isinstance(selection, FragmentSpreadNode) and selection.name.value in fragments:
            yield from _at_the_root(fragments[selection.name.value].selection_set, fragments)
