"""Everything that an installation needs, tried one after the other. It asks what Django, Celery and Channels were
configured with, so that it examines whatever this installation runs on."""

from __future__ import annotations

import os
import shlex
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import uuid4

from celery import current_app
from django.conf import settings
from django.core import checks as system_checks
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from accounts import second_factor
from accounts.models import User
from contracts import rolling
from operations import VERSION, checks, files, privacy, versions
from questionnaires.models import Definition

MIN_KEY = 32
MIN_FREE = 512 * 1024 * 1024
MIN_POSTGRESQL = 130_000
MAX_CLOCK_SECONDS = 30.0
MOST_NAMED = 5
Mark = Literal["well", "wrong", "note"]


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report."""

    mark: Mark
    """"note": neither good nor bad, for example because nothing runs."""
    what: str
    fix: str = ""


def well(what: str) -> Finding:
    return Finding("well", what)


def wrong(what: str, fix: str) -> Finding:
    return Finding("wrong", what, fix)


def examine() -> Iterator[Finding]:
    """All findings, each as soon as it is known; what hangs on something that is broken is not asked."""
    yield _python()
    yield _files()
    yield from _settings()
    yield _secret_key()
    yield from _data_folder()
    database = _database()
    yield database
    if database.mark == "well":
        migrations = _migrations()
        yield from _of_the_kind_of_database()
        yield migrations
        if migrations.mark == "well":
            yield from _contents()
    yield _named(_("Broker"), checks.check_broker())
    yield _named(_("Push to open tabs"), checks.check_channel_layer())
    yield _cache()
    yield _mail()


def is_embedded() -> bool:
    """Whether web server, worker and broker live in one process."""
    return str(current_app.conf.broker_url or "").startswith("embedded:")


def _named(name: str, result: checks.Result) -> Finding:
    return well(name) if result.ok else wrong(f"{name}: {result.says}", result.fix)


def _python() -> Finding:
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return well(f"Python {sys.version.split()[0]}")
    return wrong(
        _("Python %(version)s is not supported") % {"version": sys.version.split()[0]},
        _("Use Python 3.11, 3.12 or 3.13."),
    )


def _files() -> Finding:
    soft, hard = files.limits()
    if max(soft, hard) <= files.FEW:
        return wrong(
            _("Open files: a process may have %(count)s, and each open tab takes one") % {"count": hard},
            _("Allow more: LimitNOFILE=65536 in a systemd unit, ulimits in a compose file, limits.conf for a shell."),
        )
    if soft <= files.FEW:
        return Finding(
            "note",
            _("Open files: a process begins with %(count)s, and may take %(most)s") % {"count": soft, "most": hard},
            _("manage.py up and deploy/run take them by themselves. Whatever else starts a process: ulimit -n 65536."),
        )
    return well(_("Open files"))


def _settings() -> Iterator[Finding]:
    messages = [message for message in system_checks.run_checks() if not message.is_silenced()]
    for message in messages:
        # A warning may be the operator's choice, for example to do without a mail server.
        mark: Mark = "wrong" if message.is_serious() else "note"
        yield Finding(mark, str(message.msg), str(message.hint or _("See manage.py check.")))
    if not messages:
        yield well(_("Settings"))


def _secret_key() -> Finding:
    try:
        key = settings.SECRET_KEY
    except ImproperlyConfigured:  # Django's settings refuse to give an empty one
        key = ""
    if not key:
        return wrong(_("Secret key: there is none yet"), _("Start once, which makes one: make run. Or set SECRET_KEY."))
    if len(key) < MIN_KEY:
        return wrong(
            _("Secret key: it is too short to be safe"),
            _("Set a new one, which signs everybody out: python -c 'import secrets; print(secrets.token_urlsafe(48))'"),
        )
    return well(_("Secret key"))


def _data_folder() -> Iterator[Finding]:
    folder = Path(settings.DATA_DIR)
    if not folder.is_dir():
        if is_embedded():
            yield wrong(_("Data folder: %(path)s is not there") % {"path": folder}, _("Start once: make run."))
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield wrong(
            _("Data folder: %(path)s can't be written") % {"path": folder},
            _("Make it writable for this user, or name another: DATA_DIR=..."),
        )
        return
    free = checks.free_space()
    if free < MIN_FREE:
        yield wrong(_("Data folder: only %(mib)s MiB are free") % {"mib": free // 2**20}, _("Make room on that disk."))
        return
    yield well(_("Data folder %(path)s") % {"path": folder})
    yield _privacy(folder)


def _privacy(folder: Path) -> Finding:
    """Whether others on this machine can read what is kept, or put something of theirs in its place."""
    if folder.stat().st_mode & 0o022:
        return wrong(_("Data folder: others can change what is in it"), f"chmod go-w {shlex.quote(str(folder))}")
    found = [path for path in privacy.kept() if privacy.is_open_to_others(path)]
    if found:
        names = ", ".join(path.name for path in found[:MOST_NAMED])
        return wrong(
            _("Data folder: others can read %(count)s of its files: %(names)s")
            % {"count": len(found), "names": names if len(found) <= MOST_NAMED else f"{names}, ..."},
            "chmod go= " + " ".join(shlex.quote(str(path)) for path in found),
        )
    return well(_("Data folder: others can't read its files"))


def _database() -> Finding:
    if connection.vendor == "sqlite":
        path = Path(str(connection.settings_dict["NAME"]))
        # To connect would make an empty file.
        if not path.exists() and "mode=memory" not in str(path):
            return wrong(_("Database: there is none yet"), _("Start once, which makes it: make run."))
    return _named(_("Database"), checks.check_database())


def _of_the_kind_of_database() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA quick_check(1)")
            verdict = cursor.fetchone()[0]
            yield (
                well(f"SQLite {sqlite3.sqlite_version}")
                if verdict == "ok"
                else wrong(
                    _("SQLite: the file is damaged"),
                    _("Stop Plumbline, keep a copy of the file, then restore a backup: manage.py restore."),
                )
            )
        elif connection.vendor == "postgresql":
            cursor.execute("SHOW server_version_num")
            number = int(cursor.fetchone()[0])
            yield (
                well(f"PostgreSQL {number // 10_000}")
                if number >= MIN_POSTGRESQL
                else wrong(
                    _("PostgreSQL %(version)s is too old") % {"version": number // 10_000},
                    _("Upgrade it to 13 or newer."),
                )
            )
            yield _clock()
            if _is_pooled():
                yield _pooler()


def _is_pooled() -> bool:
    """Whether something like PgBouncer stands in between: it names processes of the database by numbers of its own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (behind,) = cursor.fetchone()
    return connection.connection is not None and bool(connection.connection.info.backend_pid != behind)


def _pooler() -> Finding:
    if connection.settings_dict["OPTIONS"].get("prepare_threshold") is None:
        return well(_("Pooler of connections"))
    return Finding(
        "note",
        _("Pooler of connections: statements are prepared through it"),
        _(
            "PgBouncer before 1.21, or with max_prepared_statements = 0, can't keep them: then add "
            "?prepare_threshold=none to DATABASE_URL."
        ),
    )


def _clock() -> Finding:
    """Deliveries go by the database's clock, sessions by this machine's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_TIMESTAMP")
        off = abs((datetime.now(UTC) - cursor.fetchone()[0]).total_seconds())
    if off > MAX_CLOCK_SECONDS:
        return wrong(
            _("Clock: this machine and the database are %(seconds)s seconds apart") % {"seconds": round(off)},
            _("Let both keep time: timedatectl set-ntp true."),
        )
    return well(_("Clock"))


def _migrations() -> Finding:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        return wrong(
            _("Tables: %(count)s migrations are missing") % {"count": len(plan)}, _("Run them: manage.py migrate.")
        )
    return well(_("Tables"))


def _contents() -> Iterator[Finding]:
    """What is in the database."""
    if Definition.objects.filter(offered=True).exists():
        yield well(_("Questionnaires"))
    else:
        yield wrong(_("Questionnaires: there is none"), _("Load the built-in ones: manage.py load_questionnaires."))
    if User.objects.filter(is_superuser=True, is_active=True).exists():
        yield well(_("Administrator"))
    else:
        yield wrong(
            _("Administrator: there is none"),
            _("Open the one-time link that manage.py first_administrator prints."),
        )
    yield _second_factors()
    yield _workers()
    yield _versions()
    events = checks.check_events()
    yield _named(_("Events"), events)
    if events.numbers.get("dead"):
        yield wrong(
            _("Dead letters: %(count)s deliveries were given up") % {"count": events.numbers["dead"]},
            _("Administration, Deliveries, filter by dead: each says what went wrong."),
        )
    elif events.degraded:
        yield wrong(_("Events: %(problem)s") % {"problem": events.says}, events.fix)


def _second_factors() -> Finding:
    locked_out = {authenticator.user_id for authenticator in second_factor.unreadable()}
    if locked_out:
        return wrong(
            _("Second factor: SECRET_KEY was changed; so many can't sign in: %(count)s") % {"count": len(locked_out)},
            _("Add the old key to SECRET_KEY_FALLBACKS, then: manage.py second_factor encrypt."),
        )
    return well(_("Second factor"))


def _workers() -> Finding:
    result = checks.check_workers()
    if not result.ok and is_embedded():
        return Finding("note", _("Worker: Plumbline is not running on this data folder"))
    return _named(_("Worker"), result)


def _versions() -> Finding:
    older = [each for each in versions.running() if rolling.release(each) < rolling.release(VERSION)]
    if older:
        named = ", ".join(each or _("before 0.3.0") for each in older)
        return Finding(
            "note",
            _("Older versions run beside this one: %(versions)s") % {"versions": named},
            _("Replace their processes: until then, forms that they can't read are not written."),
        )
    return well(_("Version %(version)s") % {"version": VERSION})


def _cache() -> Finding:
    key, sign = f"doctor-{uuid4().hex}", uuid4().hex
    try:
        cache.set(key, sign, 10)
        found = cache.get(key) == sign
        cache.delete(key)
    except Exception:
        found = False
    if found:
        return well(_("Cache"))
    return wrong(_("Cache: what is written is not read back"), _("Start Redis, and check REDIS_URL."))


def _mail() -> Finding:
    mails = get_connection()
    try:
        mails.open()
        mails.close()
    except Exception as error:
        return wrong(
            _("Mail: the server can't be used (%(kind)s)") % {"kind": type(error).__name__},
            _("Check the address, the port, the name and the password of the mail server."),
        )
    return well(_("Mail"))
