"""Addresses become settings; what is half made is refused with what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.production import Installation, MailServer, database, mail_server, redis_address, refuse_half_made

pytestmark = pytest.mark.thorough

WHOLE = Installation(
    database_url="postgresql://plumbline@db/plumbline",
    redis_url="redis://redis:6379/0",
    base_url="https://plumbline.example.org",
    secret_key="vT2_f9-QmZ7xLwR4kB8sNc1HdYp6JgUaE3oXiK5tVbMqWzSrDlFh",
    email_url="smtp+tls://mail:587",
    signup="open",
    trusted_proxies=1,
    debug=False,
)


def test_an_installation_that_is_fully_set_up_is_taken() -> None:
    refuse_half_made(WHOLE)
    refuse_half_made(replace(WHOLE, email_url="", signup="closed", trusted_proxies=0))


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"database_url": ""}, "Set DATABASE_URL=postgresql://user:password@host:5432/plumbline"),
        ({"redis_url": ""}, "Set REDIS_URL=redis://host:6379/0"),
        ({"secret_key": ""}, "Make one: python3 -c"),
        ({"secret_key": "too-short"}, "Make one: python3 -c"),
        ({"secret_key": "change-me" * 9}, "Make one: python3 -c"),
        ({"base_url": "http://plumbline.example.org"}, "Set BASE_URL=https://plumbline.example.org"),
        ({"base_url": "https://[plumbline"}, "is no address. Set BASE_URL=https://plumbline.example.org"),
        ({"trusted_proxies": None}, "Usually TRUSTED_PROXIES=1"),
        ({"email_url": ""}, "or SIGNUP=closed"),
        ({"debug": True}, "Remove DEBUG"),
    ],
)
def test_what_is_half_made_is_refused_with_what_to_do(change: dict[str, Any], advice: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        refuse_half_made(replace(WHOLE, **change))
    lines = str(refusal.value).splitlines()
    assert len(lines) == 3
    assert advice in lines[1]


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        refuse_half_made(replace(WHOLE, redis_url="", email_url=""))
    assert str(refusal.value).count("\n  - ") == 2


def test_a_line_of_the_env_file_that_was_not_filled_in_is_a_setting_that_is_not_set(tmp_path: Path) -> None:
    given = {
        "DATABASE_URL": "postgresql://plumbline@127.0.0.1/plumbline",
        "REDIS_URL": "redis://127.0.0.1/0",
        "SECRET_KEY": WHOLE.secret_key,
        "BASE_URL": "https://plumbline.example.org",
        "SIGNUP": "closed",
        "TRUSTED_PROXIES": "",
        "DATA_DIR": str(tmp_path),
    }
    command = [sys.executable, str(settings.ROOT / "manage.py"), "check"]
    refused = subprocess.run(command, env={"PATH": os.environ["PATH"], **given}, capture_output=True, text=True)
    assert refused.returncode != 0
    assert [line for line in refused.stderr.splitlines() if line.startswith("  - ")] == [
        "  - TRUSTED_PROXIES is not set: say how many reverse proxies of yours each request passes. "
        "Usually TRUSTED_PROXIES=1; 0 where browsers reach the web processes directly"
    ]


def test_a_web_process_pools_its_connections_and_a_worker_keeps_its_own() -> None:
    url = "postgresql://user:p%40ss@db:5433/plumbline?sslmode=require"
    pooled, kept = database(url, pool=12), database(url)
    assert (kept["USER"], kept["PASSWORD"], kept["HOST"], kept["PORT"]) == ("user", "p@ss", "db", 5433)
    assert (pooled["CONN_MAX_AGE"], pooled["OPTIONS"]["pool"]["max_size"]) == (0, 12)
    assert (kept["CONN_MAX_AGE"], kept["OPTIONS"].get("pool")) == (None, None)
    assert kept["OPTIONS"]["sslmode"] == "require"


def test_no_cursor_outlives_its_statement_for_a_pooler_would_lose_it() -> None:
    assert database("postgresql://u:secret@db/plumbline")["DISABLE_SERVER_SIDE_CURSORS"] is True


@pytest.mark.parametrize(
    ("query", "threshold"), [("", 2), ("?prepare_threshold=7", 7), ("?prepare_threshold=none", None)]
)
def test_statements_are_prepared_unless_the_address_says_otherwise(query: str, threshold: int | None) -> None:
    assert database(f"postgresql://u:secret@db/plumbline{query}")["OPTIONS"]["prepare_threshold"] == threshold


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:secret@db/plumbline?prepare_threshold=often",
        "mysql://user:secret@db/plumbline",
        "sqlite:///secret",
        "postgresql://u:secret@h:x/y",
        "postgresql://u:secret@h/",
        # A password with a slash or a question mark that was not encoded.
        "postgresql://u:12/secret@h/y",
        "postgresql://u:12?secret@h/y",
        "postgresql://u:secret@h/y?nonsense=secret",
        "postgresql://u:secret@h/y?connect_timeout=secret",
    ],
)
def test_another_database_is_refused_without_quoting_the_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL") as refusal:
        database(url)
    assert "secret" not in str(refusal.value)


def test_another_broker_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL: write redis"):
        redis_address("amqp://rabbit")


@pytest.mark.parametrize(
    "url", ["redis://", "redis:///2", "redis://:12#secret@redis/0", "redis://redis/secret", "redis://redis/-1"]
)
def test_half_an_address_of_a_redis_is_refused_without_quoting_the_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL: write redis") as refusal:
        redis_address(url)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("url", ["redis://redis", "redis://redis:6379/", "rediss://:p%23w@redis:6379/15?x=1"])
def test_a_whole_address_of_a_redis_is_taken_as_it_is(url: str) -> None:
    assert redis_address(url) == url


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail", MailServer("mail", 25, "", "", starttls=False, tls=False)),
        ("smtp+tls://a%40b.org:p%2Fw@mail", MailServer("mail", 587, "a@b.org", "p/w", starttls=True, tls=False)),
        ("smtps://mail:4650", MailServer("mail", 4650, "", "", starttls=False, tls=True)),
    ],
)
def test_a_mail_server_is_one_address(url: str, server: MailServer) -> None:
    assert mail_server(url) == server


@pytest.mark.parametrize("url", ["mail.example.org", "imap://mail", "smtp://", "smtp://mail:port"])
def test_a_mail_server_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL"):
        mail_server(url)


@pytest.mark.parametrize(
    ("given", "factor"), [({}, "administrators"), ({"SECOND_FACTOR": "optional"}, "optional")], ids=["default", "given"]
)
def test_the_administration_of_production_asks_for_a_second_factor_unless_told_otherwise(
    given: dict[str, str], factor: str
) -> None:
    production = {
        "DATABASE_URL": "postgresql://plumbline@127.0.0.1/plumbline",
        "REDIS_URL": "redis://127.0.0.1:6379/0",
        "BASE_URL": "https://plumbline.example.org",
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR",
        "TRUSTED_PROXIES": "1",
        "SIGNUP": "closed",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-c", "from config import settings; print(settings.SECOND_FACTOR)"]
    printed = subprocess.run(command, env={**production, **given}, capture_output=True, text=True, check=True)

    assert printed.stdout.strip() == factor
