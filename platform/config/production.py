"""The production mode: how its addresses become settings, and which half-made installations are refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import dj_database_url
import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import make_conninfo

from operations import VERSION

SHORTEST_KEY = 50
"""Characters of the secret key; `check --deploy` asks for the same."""
MAKE_A_KEY = 'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
BROKER_TIMEOUT = 1.0
"""Seconds to connect to Redis or to hear from it: what a broker that hangs may cost a request, once in 5 seconds."""


@dataclass(frozen=True, kw_only=True)
class Installation:
    """What the operator has given."""

    database_url: str
    redis_url: str
    base_url: str
    secret_key: str
    email_url: str
    signup: str
    trusted_proxies: int | None
    debug: bool


def refuse_half_made(given: Installation) -> None:
    """Raise ImproperlyConfigured with a line for everything that is missing or unsafe, each with what to do."""
    if problems := list(_problems(given)):
        lines = "".join(f"\n  - {problem}" for problem in problems)
        raise ImproperlyConfigured(
            f"production mode (DATABASE_URL or REDIS_URL is set) is not fully set up.{lines}\n"
            "For the mode that needs no services leave DATABASE_URL and REDIS_URL out. .env.example explains each name."
        )


def _problems(given: Installation) -> Iterator[str]:
    if not given.database_url:
        yield (
            "REDIS_URL without DATABASE_URL: the events of several processes need PostgreSQL. "
            "Set DATABASE_URL=postgresql://user:password@host:5432/plumbline"
        )
    if not given.redis_url:
        yield (
            "DATABASE_URL without REDIS_URL: several processes need Redis to wake one another. "
            "Set REDIS_URL=redis://host:6379/0"
        )
    if len(given.secret_key) < SHORTEST_KEY or len(set(given.secret_key)) < 10:
        yield (
            f"SECRET_KEY is missing, shorter than {SHORTEST_KEY} characters or too uniform, and every process needs "
            f"the same. Make one: {MAKE_A_KEY}"
        )
    yield from _problems_of_base_url(given.base_url)
    if given.trusted_proxies is None:
        yield (
            "TRUSTED_PROXIES is not set: say how many reverse proxies of yours each request passes. "
            "Usually TRUSTED_PROXIES=1; 0 where browsers reach the web processes directly"
        )
    if given.signup == "open" and not given.email_url:
        yield (
            "SIGNUP=open without a mail server: nobody would get their confirmation code. "
            "Set EMAIL_URL=smtp+tls://user:password@host:587, or SIGNUP=closed"
        )
    if given.debug:
        yield "DEBUG shows answers and settings to whoever meets an error. Remove DEBUG"


def _problems_of_base_url(url: str) -> Iterator[str]:
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        yield f"BASE_URL={url} is no address. Set BASE_URL=https://plumbline.example.org"
        return
    if scheme != "https":
        yield f"BASE_URL={url} sends passwords unencrypted. Set BASE_URL=https://plumbline.example.org"


_OPTIONS = {
    "connect_timeout": 5,
    "application_name": "plumbline",  # followed by the version, see operations.versions
    # Each connection has the statements it meets a second time planned once: a third of PostgreSQL's work for a save.
    "server_side_binding": True,
    "prepare_threshold": 2,
}


def _prepare_threshold(given: int | str) -> int | None:
    """After how many uses a statement is prepared; None: never, as PgBouncer before 1.21 needs it."""
    if str(given) == "none":
        return None
    if not str(given).isdigit():
        raise ImproperlyConfigured("DATABASE_URL: prepare_threshold is a number, or none for an older PgBouncer")
    return int(given)


_NOT_FOR_THE_SERVER = {"prepare_threshold", "assume_role"}
"""Options of the address that psycopg and Django understand; libpq knows all others."""


def _refuse_unknown_options(options: dict[str, Any]) -> None:
    """Else only the first connection would tell, in each process by a traceback."""
    for name in options.keys() - _NOT_FOR_THE_SERVER:
        try:
            make_conninfo(**{name: "1"})
        except psycopg.ProgrammingError:
            raise ImproperlyConfigured(
                f"DATABASE_URL: PostgreSQL knows no option {name!r}. Take it out, or write it as in sslmode=require"
            ) from None
    if not str(options.get("connect_timeout", "1")).isdigit():
        raise ImproperlyConfigured("DATABASE_URL: connect_timeout is a number of seconds")


def database(url: str, *, pool: int = 0) -> dict[str, Any]:
    """PostgreSQL by psycopg 3; raises ImproperlyConfigured for any other address.

    A web process shares up to `pool` connections among its threads. Without a pool, as in workers, each thread keeps
    its own: Celery would close a pool together with the connection.
    """
    if _split("DATABASE_URL", url).scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured("DATABASE_URL: only PostgreSQL is supported: postgresql://user:password@host/name")
    # A pooler of transactions (PgBouncer) may have the next rows of a cursor asked of another connection.
    found: dict[str, Any] = dict(dj_database_url.parse(url, disable_server_side_cursors=True))
    # A slash, or an @ after it, comes from a password that was not encoded: its rest would be the database's name.
    if not found["NAME"] or {"/", "@"} & set(found["NAME"]):
        raise ImproperlyConfigured(
            "DATABASE_URL has no name of a database: write postgresql://user:password@host:5432/plumbline, with "
            "special characters percent-encoded"
        )
    _refuse_unknown_options(found.get("OPTIONS", {}))
    found["OPTIONS"] = {**_OPTIONS, **found.get("OPTIONS", {})}
    found["OPTIONS"]["application_name"] = f"{found['OPTIONS']['application_name']} {VERSION}"
    # What the address says is text.
    found["OPTIONS"]["prepare_threshold"] = _prepare_threshold(found["OPTIONS"]["prepare_threshold"])
    if pool:
        # Checked when it is taken (about 0.1 ms): after a restart of PostgreSQL no request meets a dead connection.
        found |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
        found["OPTIONS"]["pool"] = {"min_size": 1, "max_size": pool, "timeout": 5.0}
    else:
        found["CONN_MAX_AGE"] = None
    return found


def broker_options() -> dict[str, Any]:
    """One short try for who publishes; the worker itself connects anew for as long as it takes."""
    return {
        "max_retries": 0,
        "socket_connect_timeout": BROKER_TIMEOUT,
        "socket_timeout": 2 * BROKER_TIMEOUT,  # a worker waits on Redis for one second at a time
        "socket_keepalive": True,
        # How soon a worker notices a connection that is only half there.
        "health_check_interval": 5,
    }


def redis_address(url: str) -> str:
    """The address itself; raises ImproperlyConfigured where it is none of a Redis."""
    parts = _split("REDIS_URL", url)
    number = parts.path.removeprefix("/")
    if parts.scheme not in ("redis", "rediss") or not parts.hostname or (number and not number.isdigit()):
        raise ImproperlyConfigured(
            "REDIS_URL: write redis://:password@host:6379/0, or rediss://... with TLS. The 0 is a database number; "
            "special characters in the password are percent-encoded"
        )
    return url


def cache(url: str) -> dict[str, Any]:
    """Shared by all processes: it counts attempts to sign in."""
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": url,
        "KEY_PREFIX": "plumbline",
        "OPTIONS": {"socket_connect_timeout": BROKER_TIMEOUT, "socket_timeout": BROKER_TIMEOUT},
    }


def channel_layer(url: str) -> dict[str, Any]:
    """Redis's own publish and subscribe: half the latency of the layer that keeps messages. Ours are hints."""
    host = {"address": url, "socket_connect_timeout": BROKER_TIMEOUT, "socket_keepalive": True}
    return {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [host], "prefix": "plumbline"},
    }


@dataclass(frozen=True)
class MailServer:
    """Where mails are handed in."""

    host: str
    port: int
    user: str
    password: str
    starttls: bool
    tls: bool


_MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


def mail_server(url: str) -> MailServer:
    """The parts of EMAIL_URL; raises ImproperlyConfigured for one that can't be understood."""
    parts = _split("EMAIL_URL", url)
    if parts.scheme not in _MAIL_PORTS or not parts.hostname:
        raise ImproperlyConfigured(
            "EMAIL_URL: write smtp+tls://user:password@host:587 (STARTTLS), smtps://user:password@host:465 (TLS) or "
            "smtp://host:25 (unencrypted). Special characters in user and password are percent-encoded"
        )
    return MailServer(
        host=parts.hostname,
        port=parts.port or _MAIL_PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=parts.scheme == "smtp+tls",
        tls=parts.scheme == "smtps",
    )


def _split(name: str, url: str) -> SplitResult:
    """The parts; the address itself stays out of the message, since it holds a password."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (raises for a port that is no number)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is no address: special characters have to be percent-encoded") from None
    return parts
