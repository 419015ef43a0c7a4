"""The one path of every operation: its text is parsed, limited, validated, executed, and its errors are masked."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    create_source_event_stream,
    execute,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.values import get_variable_values

from api import charging, limits, persisted
from api.context import Context
from api.cost import cost_of, values_of
from api.counting import CountedExecution
from api.errors import Refused, masked, refusal, told, with_code
from api.limits import Limits
from api.metering import Meter
from api.parameters import Parameters
from api.rules import refuse_conditional_subscriptions

logger = logging.getLogger(__name__)

MAX_ERRORS = 20
"""Mistakes of an operation that are told at once."""
CACHED_LENGTH = 4_000
"""Characters of a text that is kept in its parsed and validated form: clients send the same few again and again."""


@dataclass(frozen=True)
class Prepared:
    """An operation that may be executed."""

    document: DocumentNode
    definition: OperationDefinitionNode
    variables: Mapping[str, Any]
    """As the client sent them."""
    cost: int
    """The steps that it may take (`api.cost`); what it takes indeed turns out when it is executed."""
    prepared_in: int
    """The steps that could have been made while it was prepared."""

    @property
    def kind(self) -> OperationType:
        """Query, mutation or subscription."""
        return self.definition.operation

    @property
    def name(self) -> str | None:
        """The operation's name."""
        return self.definition.name.value if self.definition.name else None


def schema() -> GraphQLSchema:
    """The schema that GRAPHENE["SCHEMA"] names."""
    return _load(settings.GRAPHENE["SCHEMA"])


@lru_cache(maxsize=4)
def _load(path: str) -> GraphQLSchema:
    loaded: GraphQLSchema = import_string(path).graphql_schema
    return loaded


def prepare(parameters: Parameters) -> Prepared:
    """Do all that comes before executing. Raises Refused; then nothing was executed."""
    meter = Meter()
    text = persisted.text_of(parameters.query, parameters.identifier)
    allowed = limits.current()
    document = read(text, allowed)
    definition = _definition(document, parameters.operation_name)
    # Before they are coerced, which takes longer the more there are.
    given = values_of(parameters.variables)
    if given > allowed.cost or given + cost_of(schema(), document, definition, parameters.variables) > allowed.cost:
        raise limits.exceeded("cost", allowed.cost)
    coerced = get_variable_values(
        schema(),
        definition.variable_definitions,
        dict(parameters.variables),
        max_errors=MAX_ERRORS,
        hide_suggestions=True,
    )
    if isinstance(coerced, list):
        raise Refused(with_code(coerced, "BAD_USER_INPUT"))
    cost = given + cost_of(schema(), document, definition, coerced)
    if cost > allowed.cost:
        raise limits.exceeded("cost", allowed.cost)
    return Prepared(document, definition, parameters.variables, cost, meter.timed)


def read(text: str, allowed: Limits) -> DocumentNode:
    """The document of a text, within the limits and valid. Raises Refused."""
    if len(text) > allowed.length:
        raise limits.exceeded("length", allowed.length)
    function = _read if len(text) <= CACHED_LENGTH else _read.__wrapped__
    return function(text, allowed, settings.GRAPHQL_INTROSPECTION, settings.GRAPHENE["SCHEMA"])


@lru_cache(maxsize=64)
def _read(text: str, allowed: Limits, introspection: bool, schema_path: str) -> DocumentNode:
    """Parse and validate a text; what decides about it is in the arguments."""
    try:
        document = parse(text, max_tokens=allowed.tokens)
    except GraphQLSyntaxError as error:
        if "tokens. Parsing aborted." in error.message:
            raise limits.exceeded("tokens", allowed.tokens) from None
        raise Refused(with_code([error], "GRAPHQL_PARSE_FAILED")) from None
    limits.check(document, allowed)
    refuse_conditional_subscriptions(document)
    rules = specified_rules if introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
    errors = validate(_load(schema_path), document, rules, max_errors=MAX_ERRORS, hide_suggestions=True)
    if errors:
        raise Refused(with_code(errors, "GRAPHQL_VALIDATION_FAILED"))
    return document


def _definition(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    definition = get_operation_ast(document, name)
    if definition is not None:
        return definition
    if name:
        raise refusal(_("The document has no operation of the given name."), "OPERATION_RESOLUTION_FAILURE")
    message = _('The document has several operations: name the one to execute in "operationName".')
    raise refusal(message, "OPERATION_RESOLUTION_FAILURE")


def run(prepared: Prepared, context: Context, root: Any = None) -> dict[str, Any]:
    """Execute and give the answer as the client gets it. Never raises: what fails unforeseen is masked and logged.
    What it took beyond its cost is charged, be it that its person has as much or owes it then.

    `root` is the payload of an event where the operation is a subscription.
    """
    meter = Meter(prepared.prepared_in if root is None else 0)
    try:
        with connection.execute_wrapper(meter.count_query):
            result = execute(
                schema(),
                prepared.document,
                root,
                replace(context, meter=meter),
                dict(prepared.variables),
                prepared.name,
                execution_context_class=CountedExecution,
                hide_suggestions=True,
            )
        if not isinstance(result, ExecutionResult):
            result.close()  # type: ignore[attr-defined]  # a coroutine
            raise TypeError("a resolver is asynchronous: they run in a thread")
    except Exception as error:
        logger.exception("GraphQL: executing failed")
        return {"data": None, "errors": [masked(context.correlation_id, cause=error)]}
    if root is None:
        charging.charge_rest(context.user, meter.taken - prepared.cost)
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = told(result.errors, context.correlation_id)
    return answer


async def open_stream(prepared: Prepared, context: Context) -> AsyncIterator[Any]:
    """The payloads of a subscription, each to be given to `run`. Raises Refused where it does not begin."""
    stream = await create_source_event_stream(
        schema(),
        prepared.document,
        None,
        context,
        dict(prepared.variables),
        prepared.name,
        hide_suggestions=True,
    )
    if isinstance(stream, ExecutionResult):
        raise Refused(stream.errors or [])
    return stream.__aiter__()


def encoded(answer: Mapping[str, Any]) -> str:
    """The answer as JSON."""
    return json.dumps(answer, separators=(",", ":"))


def forget() -> None:
    """Read the list of registered operations and all texts anew; for tests that change settings."""
    persisted.operations.cache_clear()
    _read.cache_clear()
