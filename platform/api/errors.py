"""What clients are told about errors, and what only the log gets."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from graphql import GraphQLError, GraphQLFormattedError

from eventbus.outages import is_outage
from throttling.buckets import Throttled
from throttling.words import in_words

THROTTLED = "THROTTLED"
"""The code of an error with `retryAfter`: the whole seconds after which the same may be asked again."""

logger = logging.getLogger(__name__)

MAX_TOLD = 100
"""Errors of one answer: as many as it may have aliases, so that each of them can say why it failed."""


class Refused(Exception):
    """The operation is not executed, or its stream ends; `errors` say why."""

    def __init__(self, errors: Iterable[GraphQLError]) -> None:
        super().__init__("refused")
        self.errors = list(errors)


def refusal(message: str, code: str, **details: Any) -> Refused:
    """A refusal with one error; `details` join the code in its extensions."""
    return Refused([GraphQLError(message, extensions={"code": code, **details})])


def too_soon(seconds: int) -> Refused:
    """The refusal of an operation that may be asked again after so many seconds."""
    return refusal(_wait(seconds), THROTTLED, retryAfter=seconds)


def _wait(seconds: int) -> str:
    message = _("This is more than is done in so short a time, and was not done. Send it again in %(wait)s.")
    return message % {"wait": in_words(seconds)}


def seconds_to_wait(answer: Mapping[str, Any]) -> int:
    """The seconds after which a whole answer may be asked for again; 0 where something of it was given, or nothing of
    it was refused as too soon."""
    if any(value is not None for value in (answer.get("data") or {}).values()):
        return 0
    told_so = [error.get("extensions", {}) for error in answer.get("errors", ())]
    return max((each["retryAfter"] for each in told_so if each.get("code") == THROTTLED), default=0)


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


def told(errors: Sequence[GraphQLError], correlation_id: UUID) -> list[GraphQLFormattedError]:
    """The errors as a client may see them: MAX_TOLD of them, and where there are more one that says how many. The log
    gets no more either.

    Shown are those that were made for the client: by graphql-core about the text of the operation, or by a resolver
    that gave a `code` in the extensions, and what a bucket refused. Everything else becomes one sentence with the id
    under which the log has it.
    """
    shown = [_told(error, correlation_id) for error in errors[:MAX_TOLD]]
    return shown if len(shown) == len(errors) else [*shown, _further(len(errors) - len(shown))]


def _further(count: int) -> GraphQLFormattedError:
    message = _("%(count)d more errors are left out. Ask for less at once to see them.") % {"count": count}
    return {"message": message, "extensions": {"code": "TOO_MANY_ERRORS"}}


def _told(error: GraphQLError, correlation_id: UUID) -> GraphQLFormattedError:
    if isinstance(error.original_error, Throttled):
        seconds = error.original_error.retry_after
        extensions = {"code": THROTTLED, "retryAfter": seconds}
        return GraphQLError(_wait(seconds), error.nodes, path=error.path, extensions=extensions).formatted
    return error.formatted if _is_for_clients(error) else _masked(error, correlation_id)


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
    return masked(correlation_id, error, cause=cause)


def masked(
    correlation_id: UUID, error: GraphQLError | None = None, *, cause: BaseException | None = None
) -> GraphQLFormattedError:
    """The sentence in place of an error, with the place in the operation that `error` names.

    Where the `cause` is that something which Plumbline needs is away, the code says that the same request may get
    through later.
    """
    code, message = "INTERNAL_SERVER_ERROR", _("Something went wrong on our side. Please try again.")
    if is_outage(cause):
        code = "SERVICE_UNAVAILABLE"
        message = _("Plumbline can't reach its database or another service that it needs. Try again in a moment.")
    shown: GraphQLFormattedError = {
        "message": message,
        "extensions": {"code": code, "requestId": str(correlation_id)},
    }
    if error is not None and error.locations:
        shown["locations"] = [location.formatted for location in error.locations]
    if error is not None and error.path is not None:
        shown["path"] = error.path
    return shown
