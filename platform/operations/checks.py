"""What has to work, checked by trying it: for `/health/ready` and `manage.py doctor`, each with its fix.

No answer names a host, a path or a password: the addresses are public inside a network, the log has the details.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from celery import current_app
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import connection
from django.utils.translation import gettext as _

from eventbus import metrics
from eventbus.database_errors import reason
from operations import full_disk, unapplied
from operations.models import WorkerProcess

PATIENCE = 2
"""Seconds that the broker and the channel layer may take to answer."""
LEAST_FREE = 64 * 1024 * 1024
"""Bytes: with less room on the disk of an SQLite file, saves are about to fail."""

serving_loop: ContextVar[asyncio.AbstractEventLoop | None] = ContextVar("serving_loop", default=None)
"""The event loop of the server that this request came through: sockets live there, and so does their channel layer."""


_TAKES_WRITES = {
    "sqlite": "SELECT 1",
    "postgresql": "SELECT NOT (pg_is_in_recovery() OR current_setting('transaction_read_only')::bool)",
}


@dataclass(frozen=True)
class Result:
    """What a check found."""

    ok: bool
    says: str = ""
    """What is wrong, in a sentence; empty where all is well."""
    degraded: bool = False
    """Whether it works but a person has to look: `says` and `fix` tell, and nothing is to be restarted or routed
    elsewhere."""
    fix: str = ""
    """What to do about it."""
    numbers: dict[str, int | float] = field(default_factory=dict)
    cause: str = ""
    """The kind of the error, for the log. Not its message: a driver's may quote an address with its password."""


WELL = Result(ok=True)


def _no_local_worker() -> bool | None:
    return None


local_worker: Callable[[], bool | None] = _no_local_worker
"""Whether the worker inside this very process takes tasks; None where there is none. The embedded mode sets it."""


def check_database() -> Result:
    """Whether the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(_TAKES_WRITES[connection.vendor])
            (takes_writes,) = cursor.fetchone()
    except DatabaseProblem as error:
        return Result(
            ok=False,
            cause=reason(error),
            says=_("the database does not answer"),
            fix=_(
                "Start it, and check DATABASE_URL or, without it, that the data folder can be read. The log says more."
            ),
        )
    if not takes_writes:
        return Result(
            ok=False,
            says=_("the database takes no writes"),
            fix=_("It is a standby, or was made read-only, as hosts do when its disk is full: look there."),
        )
    return WELL


def check_schema() -> Result:
    """Whether the database has the tables that this code needs; more of them are a newer version's."""
    try:
        missing = unapplied.count()
    except DatabaseProblem as error:
        return _unknown(error)
    if missing:
        return Result(
            ok=False,
            says=_("the tables are behind this version of Plumbline"),
            fix=_("Run manage.py migrate (deploy/run release does): it is part of every upgrade."),
            numbers={"missing": missing},
        )
    return WELL


def check_disk() -> Result:
    """Whether an SQLite file has room to grow, and whether a database server has said that its disk is full."""
    if connection.vendor != "sqlite":
        return _disk_of_the_server()
    free = free_space()
    numbers: dict[str, int | float] = {"free_mib": free // 2**20}
    if free < LEAST_FREE:
        return Result(
            ok=False,
            says=_("the disk is full: answers can't be saved"),
            fix=_("Make room on the disk of the data folder; nothing has to be restarted."),
            numbers=numbers,
        )
    return Result(ok=True, numbers=numbers)


def _disk_of_the_server() -> Result:
    if full_disk.was_said_lately():
        return Result(
            ok=False,
            says=_("the database says that its disk is full: answers can't be saved"),
            fix=_("Make room on the disk of the database server; nothing has to be restarted."),
        )
    return WELL


def free_space() -> int:
    """Bytes that the data folder's disk has left for this user."""
    return shutil.disk_usage(Path(settings.DATA_DIR)).free


def check_broker() -> Result:
    """Whether wake-ups can be sent. Without it saves go on, and the sweepers deliver."""
    patient = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE, "retry_on_timeout": False}
    options = {**(current_app.conf.broker_transport_options or {}), **patient}
    try:
        with current_app.connection_for_write(connect_timeout=PATIENCE, transport_options=options) as broker:
            broker.ensure_connection(max_retries=0, timeout=PATIENCE)
            broker.default_channel  # noqa: B018  (opens it, which asks the broker)
    except Exception as error:
        return Result(
            ok=False,
            cause=_kind(error),
            says=_("the broker does not answer: deliveries wait for the next sweep"),
            fix=_("Start Redis, and check REDIS_URL. Nothing is lost until then."),
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
        return Result(
            ok=False,
            cause=_kind(error),
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
    """Whether a worker's sweeper has shown itself lately, and the worker inside this process, if any, takes tasks."""
    if local_worker() is False:
        return Result(
            ok=False,
            says=_("the worker of this process has stopped: deliveries wait for the sweep"),
            fix=_("Start Plumbline again. Nothing is lost until then."),
        )
    try:
        alive = WorkerProcess.objects.filter(sweeps=True).heard_within(settings.HEALTH_MAX_WORKER_SILENCE).count()
    except DatabaseProblem as error:
        return _unknown(error)
    if not alive:
        return Result(
            ok=False,
            says=_("no worker has shown itself for %(seconds)s seconds")
            % {"seconds": settings.HEALTH_MAX_WORKER_SILENCE},
            fix=_("Start one: manage.py up, or in production deploy/run worker. Nothing is lost until then."),
            numbers={"alive": 0},
        )
    return Result(ok=True, numbers={"alive": alive})


def check_events() -> Result:
    """Whether everything is delivered, or will be soon. Dead letters wait for a person: they degrade, as does a mail
    server that takes nothing: no other web process would get mails there, either."""
    try:
        found = metrics.health()
    except DatabaseProblem as error:
        return _unknown(error)
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
    if found.dead:
        return Result(
            ok=True,
            degraded=True,
            says=_("deliveries were given up"),
            fix=_("Administration, Dead letters, or manage.py bus dead, says why; mend that, then redrive them."),
            numbers=numbers,
        )
    if found.oldest_outside and found.oldest_outside.total_seconds() > settings.HEALTH_MAX_EVENT_AGE:
        return Result(
            ok=True,
            degraded=True,
            says=_("what is to leave this installation waits too long, for example mails"),
            fix=_("Administration, Deliveries, says what fails; check the mail server and EMAIL_URL."),
            numbers=numbers,
        )
    return Result(ok=True, numbers=numbers)


CHECKS: dict[str, Callable[[], Result]] = {
    "database": check_database,
    "schema": check_schema,
    "disk": check_disk,
    "broker": check_broker,
    "channel_layer": check_channel_layer,
    "workers": check_workers,
    "events": check_events,
}
"""By the name that `/health/ready?check=...` takes."""


def _unknown(error: DatabaseProblem) -> Result:
    says = _("the database does not answer")
    return Result(ok=False, says=says, fix=_("See the check of the database."), cause=_kind(error))


def _kind(error: Exception) -> str:
    return type(error).__name__
