"""What clients are told about errors, and what only the log gets."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from graphql import GraphQLError, GraphQLFormattedError

logger = logging.getLogger(__name__)


class Refused(Exception):
    """The operation is not executed, or its stream ends; `errors` say why."""

    def __init__(self, errors: Iterable[GraphQLError]) -> None:
        super().__init__("refused")
        self.errors = list(errors)


def refusal(message: str, code: str, **details: Any) -> Refused:
    """A refusal with one error; `details` join the code in its extensions."""
    return Refused([GraphQLError(message, extensions={"code": code, **details})])


def with_code(errors: Iterable[GraphQLError], code: str) -> list[GraphQLError]:
    """The errors of graphql-core about what a client sent, which have no code: as errors that are told."""
    return [_coded(error, code) for error in errors]


def _coded(error: GraphQLError, code: str) -> GraphQLError:
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    # What a type raises about a value by accident, graphql-core appends as it is.
    message = error.message if isinstance(cause, GraphQLError) else _("A value does not fit its type.")
    extensions = {"code": code, **(error.extensions or {})}
    return GraphQLError(message, error.nodes, error.source, error.positions, error.path, extensions=extensions)


def told(errors: Iterable[GraphQLError], correlation_id: UUID) -> list[GraphQLFormattedError]:
    """The errors as a client may see them.

    Shown are those that were made for the client: by graphql-core about the text of the operation, or by a resolver
    that gave a `code` in the extensions. Everything else becomes one sentence with the id under which the log has it.
    """
    return [error.formatted if _is_for_clients(error) else _masked(error, correlation_id) for error in errors]


def _is_for_clients(error: GraphQLError) -> bool:
    made = error.original_error or error
    if not isinstance(made, GraphQLError):
        return False
    # Without nodes and code it is about a value of ours that does not fit the schema.
    return "code" in (made.extensions or {}) or bool(made.nodes)


def _masked(error: GraphQLError, correlation_id: UUID) -> GraphQLFormattedError:
    # The field by the schema's name: an alias, as in the path, is the client's text.
    field = getattr(error.nodes[0], "name", None) if error.nodes else None
    cause = error.original_error or error
    logger.error("GraphQL: resolving %s failed", field.value if field else "a field", exc_info=cause)
    return masked(correlation_id, error)


def masked(correlation_id: UUID, error: GraphQLError | None = None) -> GraphQLFormattedError:
    """The sentence in place of an error, with the place in the operation that `error` names."""
    shown: GraphQLFormattedError = {
        "message": _("Something went wrong on our side. Please try again."),
        "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": str(correlation_id)},
    }
    if error is not None and error.locations:
        shown["locations"] = [location.formatted for location in error.locations]
    if error is not None and error.path is not None:
        shown["path"] = error.path
    return shown
