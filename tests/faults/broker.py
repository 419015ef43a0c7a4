"""What a nemesis does to messages in Redis, where Celery keeps them, and what it finds there."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from tests.faults.invariants import Findings, submission_of
from tests.faults.site import QUEUES, Production

UNACKNOWLEDGED = "unacked"
"""Celery's hash of the messages that a worker has taken and not acknowledged."""


def rearrange(site: Production, change: Callable[[list[str]], list[str]]) -> int:
    """Put what `change` makes of each queue's messages in their place; gives how many lie there now."""
    broker = site.broker
    total = 0
    for queue in QUEUES:
        messages = [str(message) for message in broker.lrange(queue, 0, -1)]
        if messages:
            changed = change(messages)
            with broker.pipeline() as together:
                together.delete(queue)
                together.rpush(queue, *changed)
                together.execute()
            total += len(changed)
    return total


def backwards(messages: list[str]) -> list[str]:
    """The newest is taken first."""
    return messages[::-1]


def tenfold(messages: list[str]) -> list[str]:
    """Ten of each, as if each had been sent ten times."""
    return [_sent_again(message) for message in messages for _ in range(10)]


def _sent_again(message: str) -> str:
    document = json.loads(message)
    document["properties"]["delivery_tag"] = str(uuid4())
    return json.dumps(document)


def held(site: Production, findings: Findings) -> set[UUID]:
    """The submissions of which something is missing that the broker still holds: it is late, and comes when the broker
    gives it out again. The product keeps nothing in the broker that anybody would miss."""
    if site.backend.has_outbox:
        return set()
    missing = {submission_of(each) for each in findings.lost} | findings.stale
    return missing & {UUID(subject) for subject in _subjects(site)}


def _subjects(site: Production) -> set[str]:
    broker = site.broker
    waiting = [message for queue in QUEUES for message in broker.lrange(queue, 0, -1)]
    taken = [json.loads(each)[0] for each in broker.hvals(UNACKNOWLEDGED)]
    return {_subject(each if isinstance(each, dict) else json.loads(each)) for each in [*waiting, *taken]} - {""}


def _subject(message: dict[str, Any]) -> str:
    arguments = json.loads(base64.b64decode(message["body"]))[0]
    return str(arguments[0].get("subject", "")) if arguments and isinstance(arguments[0], dict) else ""
