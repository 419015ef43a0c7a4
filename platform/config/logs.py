"""Log lines carry the id by which a request, its events and its push belong together."""

from __future__ import annotations

import logging

from eventbus.context import correlation_id


class CorrelationFilter(logging.Filter):
    """Adds `correlation` to each record: the id, or "-" outside a request or delivery."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.correlation = correlation_id.get() or "-"
        return True
