"""From where a request or a socket comes, for limits on those who are not known yet."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import Any

from django.conf import settings

UNKNOWN = "unknown"
"""In place of an address that nobody told: all of these share one limit."""


def address_of(scope: Any) -> str:
    """The client's address; of IPv6 the first 64 bits, of which one customer of a network has all.

    Behind reverse proxies of the operator's own it is the one that the first of them saw (TRUSTED_PROXIES, RFC 7239
    section 7.4 on why no other is believed).
    """
    proxies = settings.TRUSTED_PROXIES
    seen = _forwarded(scope, proxies) if proxies else (scope.get("client") or ("",))[0]
    try:
        address = ip_address(seen)
    except ValueError:
        return UNKNOWN
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> 64 << 64))


def _forwarded(scope: Any, proxies: int) -> str:
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    hops = [hop.strip() for hop in ",".join(lines).split(",")]
    # Each proxy adds the address that it saw at the end; what is before those, anybody may have written.
    return hops[-proxies] if len(hops) >= proxies else ""
