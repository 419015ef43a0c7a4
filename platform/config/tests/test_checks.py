"""Wrong settings become messages with the fix."""

from __future__ import annotations

import logging
from uuid import UUID

import pytest
from django.core.checks import CheckMessage
from django.core.management import CommandError, call_command
from pytest_django import Settings

from config.checks import (
    address_fits_base_url,
    allowed_hosts_are_host_names,
    base_url_is_whole,
    every_queue_has_a_worker,
    mails_arrive,
)
from config.logs import CorrelationFilter
from eventbus.context import correlation_id


def _all() -> list[CheckMessage]:
    return [
        *base_url_is_whole(),
        *allowed_hosts_are_host_names(),
        *address_fits_base_url(),
        *every_queue_has_a_worker(),
        *mails_arrive(),
    ]


def test_the_settings_as_they_are_give_no_message() -> None:
    assert _all() == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "plumbline.example.org",
        "ftp://plumbline.example.org",
        "https://",
        "https://plumbline.example.org/app",
        "http://localhost:port",
        "https://localhost?x=1",
    ],
)
def test_a_base_url_that_is_no_address_of_a_site_is_an_error(settings: Settings, address: str) -> None:
    settings.BASE_URL = address

    (message,) = _all()

    assert message.id == "plumbline.E001"
    assert message.hint == "Give scheme and host, without a path: BASE_URL=https://plumbline.example.org"


def test_a_base_url_whose_host_is_refused_is_an_error(settings: Settings) -> None:
    settings.BASE_URL = "https://plumbline.example.org"
    settings.ALLOWED_HOSTS = ["localhost"]

    (message,) = _all()

    assert message.id == "plumbline.E002"
    assert message.hint == "Add it: ALLOWED_HOSTS=localhost,plumbline.example.org"


@pytest.mark.parametrize("host", ["https://plumbline.example.org", "localhost:8000", "localhost/x"])
def test_an_allowed_host_that_is_no_host_name_is_an_error(settings: Settings, host: str) -> None:
    settings.ALLOWED_HOSTS = ["localhost", host]

    (message,) = _all()

    assert message.id == "plumbline.E003"
    assert repr(host) in message.msg


def test_an_ipv6_address_is_a_host_name(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "[::1]", ".example.org"]

    assert _all() == []


def test_allowing_every_host_is_warned_about(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]

    assert [message.id for message in _all()] == ["plumbline.W001"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://localhost:8000", ["plumbline.W002"]),
        ("http://plumbline.example.org", ["plumbline.W003"]),
        ("https://plumbline.example.org", []),
    ],
)
def test_a_server_that_others_reach_needs_its_own_safe_address(
    settings: Settings, address: str, expected: list[str]
) -> None:
    settings.HOST = "0.0.0.0"  # noqa: S104
    settings.BASE_URL = address
    settings.ALLOWED_HOSTS = ["localhost", "plumbline.example.org"]

    assert [message.id for message in _all()] == expected


def test_a_log_line_carries_the_correlation_id() -> None:
    record = logging.makeLogRecord({"msg": "stored"})
    token = correlation_id.set(UUID(int=7))
    try:
        CorrelationFilter().filter(record)
    finally:
        correlation_id.reset(token)
    assert str(record.__dict__["correlation"]) == "00000000-0000-0000-0000-000000000007"

    CorrelationFilter().filter(record)
    assert record.__dict__["correlation"] == "-"


def test_a_subscriber_whose_queue_no_worker_takes_is_an_error(settings: Settings) -> None:
    settings.CELERY_TASK_QUEUES = [queue for queue in settings.CELERY_TASK_QUEUES if queue.name != "reports"]

    messages = list(every_queue_has_a_worker())

    assert {message.id for message in messages} == {"plumbline.E004"}
    assert {message.hint for message in messages} == {
        "Add 'reports' to CELERY_TASK_QUEUES in config/settings.py and to the Procfile."
    }


def test_production_without_a_mail_server_is_warned_of(settings: Settings) -> None:
    settings.PRODUCTION, settings.EMAIL_URL = True, ""

    (message,) = mails_arrive()

    assert message.id == "plumbline.W004"


def test_one_process_is_refused_in_the_production_mode(settings: Settings) -> None:
    settings.PRODUCTION = True

    with pytest.raises(CommandError, match="deploy/run web"):
        call_command("up")
