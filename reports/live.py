"""Hints to open tabs: something changed, come and fetch it. Ids and numbers only, never an answer."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from reports.models import Report

log = logging.getLogger(__name__)


def group_of(organisation: UUID) -> str:
    """The channel group of everyone who may see the organisation's reports."""
    return f"organisation.{organisation}"


def hint(report: Report, state: str) -> dict[str, Any]:
    """What a tab is told; `state` is new, changed or removed."""
    return {
        "type": "report.changed",
        "report": str(report.pk),
        "submission": str(report.submission),
        "revision": report.revision,
        "position": report.position,
        "state": state,
    }


def send_hint(report: Report, state: str) -> None:
    """Tell the open tabs. Failing is not grave: each tab fetches what it missed when it next connects."""
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(group_of(report.organisation_id), hint(report, state))
    except Exception:
        log.exception("the hint for report %s was not sent", report.pk)
