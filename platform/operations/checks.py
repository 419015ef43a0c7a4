"""What has to work, checked by trying it: for `/health/ready` and `manage.py doctor`, each with its fix.

No answer names a host, a path or a password: the addresses are public inside a network, the log has the details.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from celery import current_app
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import connection
from django.utils.translation import gettext as _

from eventbus import metrics
from operations.models import WorkerProcess

logger = logging.getLogger(__name__)

PATIENCE = 2
"""Seconds that the broker and the channel layer may take to answer."""

serving_loop: ContextVar[asyncio.AbstractEventLoop | None] = ContextVar("serving_loop", default=None)
"""The event loop of the server that this request came through: sockets live there, and so does their channel layer."""


@dataclass(frozen=True)
class Result:
    """What a check found."""

    ok: bool
    says: str = ""
    """What is wrong, in a sentence; empty where all is well."""
    fix: str = ""
    """What to do about it."""
    numbers: dict[str, int | float] = field(default_factory=dict)


WELL = Result(ok=True)


def check_database() -> Result:
    """Whether the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseProblem as error:
        _log("database", error)
        return Result(
            ok=False,
            says=_("the database does not answer"),
            fix=_(
                "Start it, and check DATABASE_URL or, without it, that the data folder can be read. The log says more."
            ),
        )
    return WELL


def check_broker() -> Result:
    """Whether wake-ups can be sent. Without it saves go on, and the sweepers deliver."""
    patient = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE, "retry_on_timeout": False}
    options = {**(current_app.conf.broker_transport_options or {}), **patient}
    try:
        with current_app.connection_for_write(connect_timeout=PATIENCE, transport_options=options) as broker:
            broker.ensure_connection(max_retries=0, timeout=PATIENCE)
            broker.default_channel  # noqa: B018  (opens it, which asks the broker)
    except Exception as error:
        _log("broker", error)
        return Result(
            ok=False,
            says=_("the broker does not answer: deliveries wait for the next sweep"),
            fix=_("Start Redis, and check REDIS_URL. Nothing is lost meanwhile."),
        )
    return WELL


def check_channel_layer() -> Result:
    """Whether a message that is sent on the channel layer arrives: it pushes new reports to open tabs."""
    loop = serving_loop.get()
    try:
        if loop is not None and loop.is_running():
            asyncio.run_coroutine_threadsafe(_round_trip(), loop).result(PATIENCE + 1)
        else:
            asyncio.run(_round_trip())
    except Exception as error:
        _log("channel layer", error)
        return Result(
            ok=False,
            says=_("messages to open tabs do not arrive"),
            fix=_("Start Redis, and check REDIS_URL. Tabs ask for what is new when they connect again."),
        )
    return WELL


async def _round_trip() -> None:
    layer = get_channel_layer()
    if layer is None:
        raise RuntimeError("CHANNEL_LAYERS names none")
    async with asyncio.timeout(PATIENCE):
        channel, sign = await layer.new_channel(), uuid4().hex
        await layer.send(channel, {"type": "health.check", "sign": sign})
        received = await layer.receive(channel)
        await _let_go(layer, channel)
    if received.get("sign") != sign:
        raise RuntimeError("another message came back")


async def _let_go(layer: Any, channel: str) -> None:
    """End with a cancelled wait, as a socket's consumer does: that is when layers forget a channel."""
    waiting = asyncio.ensure_future(layer.receive(channel))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])


def check_workers() -> Result:
    """Whether a worker's sweeper has shown itself lately."""
    try:
        alive = WorkerProcess.objects.filter(sweeps=True).heard_within(settings.HEALTH_MAX_WORKER_SILENCE).count()
    except DatabaseProblem as error:
        _log("workers", error)
        return _unknown()
    if not alive:
        return Result(
            ok=False,
            says=_("no worker has shown itself for %(seconds)s seconds")
            % {"seconds": settings.HEALTH_MAX_WORKER_SILENCE},
            fix=_("Start one: manage.py up, or in production celery -A config worker. Nothing is lost meanwhile."),
            numbers={"alive": 0},
        )
    return Result(ok=True, numbers={"alive": alive})


def check_events() -> Result:
    """Whether everything is delivered, or will be soon. Dead letters wait for a person and make nothing unwell."""
    try:
        found = metrics.health()
    except DatabaseProblem as error:
        _log("events", error)
        return _unknown()
    age = found.oldest.total_seconds() if found.oldest else 0.0
    numbers = {
        "oldest_seconds": round(age, 1),
        "undelivered": found.ready + found.leased,
        "overdue": found.overdue,
        "dead": found.dead,
    }
    if age > settings.HEALTH_MAX_EVENT_AGE:
        return Result(
            ok=False,
            says=_("events wait too long"),
            fix=_("Administration, Deliveries, says what fails and why; more workers help where nothing fails."),
            numbers=numbers,
        )
    return Result(ok=True, numbers=numbers)


CHECKS: dict[str, Callable[[], Result]] = {
    "database": check_database,
    "broker": check_broker,
    "channel_layer": check_channel_layer,
    "workers": check_workers,
    "events": check_events,
}
"""By the name that `/health/ready?check=...` takes."""


def _unknown() -> Result:
    return Result(ok=False, says=_("the database does not answer"), fix=_("See the check of the database."))


def _log(what: str, error: Exception) -> None:
    """By its kind alone: a message of a driver may quote an address with its password."""
    logger.warning("the check of the %s failed: %s", what, type(error).__name__)
