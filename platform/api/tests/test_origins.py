"""The origin of a page is ours when scheme, host and port are."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from api import origins

HOST = (b"host", b"plumbline.example.org")


@pytest.fixture(autouse=True)
def _behind_a_proxy(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["plumbline.example.org"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.example.org"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")


@pytest.mark.parametrize(
    ("origin", "scheme", "forwarded", "expected"),
    [
        (b"https://plumbline.example.org", "ws", b"https", True),
        (b"https://plumbline.example.org", "wss", None, True),
        (b"https://Plumbline.Example.org", "wss", None, True),
        (b"http://plumbline.example.org", "ws", b"http", True),
        (b"http://plumbline.example.org", "ws", None, True),
        (b"https://app.example.org", "ws", None, True),
        (b"http://plumbline.example.org", "ws", b"https", False),
        (b"https://plumbline.example.org", "ws", b"http", False),
        (b"https://plumbline.example.org", "wss", b"http", False),
        (b"https://plumbline.example.org:8443", "wss", None, False),
        (b"http://app.example.org", "ws", None, False),
        (b"https://app.example.org:8443", "wss", None, False),
        (b"https://other.example.org", "wss", None, False),
        (b"null", "wss", None, False),
    ],
)
def test_scheme_host_and_port_decide(origin: bytes, scheme: str, forwarded: bytes | None, expected: bool) -> None:
    headers = [HOST, (b"origin", origin)]
    if forwarded is not None:
        headers.append((b"x-forwarded-proto", forwarded))

    assert origins.of_handshake({"headers": headers, "scheme": scheme}) == (origin.decode(), expected)


def test_what_a_client_says_about_its_scheme_is_not_believed_without_a_proxy(settings: Settings) -> None:
    settings.SECURE_PROXY_SSL_HEADER = None
    headers = [HOST, (b"origin", b"https://plumbline.example.org"), (b"x-forwarded-proto", b"https")]

    assert origins.of_handshake({"headers": headers, "scheme": "ws"}) == ("https://plumbline.example.org", False)


def test_no_origin_and_two_of_them_are_not_ours() -> None:
    ours = (b"origin", b"https://plumbline.example.org")

    assert origins.of_handshake({"headers": [HOST], "scheme": "wss"}) == (None, False)
    assert origins.of_handshake({"headers": [HOST, ours, ours], "scheme": "wss"})[1] is False
    assert origins.of_handshake({"headers": [ours], "scheme": "wss"})[1] is False


def test_a_host_that_is_not_allowed_is_not_ours() -> None:
    headers = [(b"host", b"evil.example.org"), (b"origin", b"https://evil.example.org")]

    assert origins.of_handshake({"headers": headers, "scheme": "wss"})[1] is False
