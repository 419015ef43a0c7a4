"""The address of a client is what the first proxy of the operator's own saw, and nothing that anybody may write."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from sockets.addresses import UNKNOWN, address_of


def scope_of(client: str | None, *forwarded: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    return {"client": None if client is None else (client, 50_000), "headers": headers}


@pytest.mark.parametrize(
    ("client", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::"),
        ("testclient", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_without_a_proxy_it_is_the_peer_s(settings: Settings, client: str | None, address: str) -> None:
    settings.TRUSTED_PROXIES = None

    assert address_of(scope_of(client, "198.51.100.7")) == address


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (1, ["198.51.100.7"], "198.51.100.7"),
        (1, ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        (2, ["203.0.113.9, 198.51.100.7", "192.0.2.3"], "198.51.100.7"),
        (2, ["198.51.100.7"], UNKNOWN),
        (1, [], UNKNOWN),
        (1, ["198.51.100.7:443"], UNKNOWN),
    ],
)
def test_behind_proxies_it_is_what_the_first_of_them_saw(
    settings: Settings, proxies: int, forwarded: list[str], address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies

    assert address_of(scope_of("192.0.2.1", *forwarded)) == address
