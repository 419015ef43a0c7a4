"""Log lines carry the id by which a request, its events and its push belong together, and nothing that is private.

An error's message may quote an answer, a note or a row of the database, and an address may hold a token. So both
formats leave the messages of errors out (their kinds and places stay) and blot the tokens of one-time links.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import PurePath
from types import TracebackType
from typing import Any, TypeAlias

from eventbus.context import causation_id, correlation_id

ErrorInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

TOKENS = re.compile(r"""(/accounts/(?:[^\s/"']+/)*?)[^\s/"']{16,}(?=[/\s"']|$)""")
"""The one-time parts of addresses: links that make an administrator or set a password."""


class CorrelationFilter(logging.Filter):
    """Adds `correlation` to each record: the id, or "-" outside a request or delivery."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.correlation = correlation_id.get() or "-"
        return True


class UnwellFilter(logging.Filter):
    """Leaves out what Django says of each answer 503: it is a health check's, asked every few seconds, and the check
    itself tells when it begins to fail and when it no longer does."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "status_code", None) != HTTPStatus.SERVICE_UNAVAILABLE


class BrokenMessageFilter(logging.Filter):
    """Leaves out that a client sent a WebSocket message which is no text: the server closes with 1007, that is all."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], UnicodeDecodeError))


class FramesFilter(logging.Filter):
    """Leaves out what a server says for debugging itself: each frame and header of a WebSocket, and with them tokens,
    cookies, answers and notes."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.INFO


class TextFormatter(logging.Formatter):
    """A line for people; an error's traceback comes below it."""

    def format(self, record: logging.LogRecord) -> str:
        # Another handler may have cached a traceback that has everything in it.
        record.exc_text = None
        return TOKENS.sub(r"\1...", super().format(record))

    def formatException(self, ei: ErrorInfo) -> str:  # noqa: N802  (logging's name)
        return "\n".join(describe_error(ei[1])) if ei[1] else ""


class JsonFormatter(logging.Formatter):
    """A JSON object per line, for programs that collect logs.

    time, level, logger, message; where they are known: request_id (a person's request), correlation_id (the request
    that started it all), event_id (the event that is being handled), error (its kind) and traceback (places). A line of
    the security log has its facts, too, each under its name.
    """

    def format(self, record: logging.LogRecord) -> str:
        correlation, event = correlation_id.get(), causation_id.get()
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": TOKENS.sub(r"\1...", record.getMessage()),
        }
        if correlation:
            line["correlation_id"] = str(correlation)
            line["event_id" if event else "request_id"] = str(event or correlation)
        line = {**getattr(record, "facts", {}), **line}
        error = record.exc_info[1] if record.exc_info else None
        if error:
            line["error"] = _kind(error)
            line["traceback"] = describe_error(error)
        return json.dumps(line, ensure_ascii=False)


def describe_error(error: BaseException) -> list[str]:
    """The kinds of an error and of what caused it, each with where it happened, the outermost call first."""
    lines: list[str] = []
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        lines.append(f"{'caused by ' if len(seen) > 1 else ''}{_kind(cause)}")
        for frame in traceback.extract_tb(cause.__traceback__):
            path = PurePath(frame.filename)
            lines.append(f"  {'/'.join(path.parts[-2:])}:{frame.lineno} in {frame.name}")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return lines


def _kind(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
