"""Whether a browser speaks for one of our own pages: the scheme, the host and the port of its origin have to fit."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from securitylog import Kind, network_of, note


def is_ours(origin: str, host: str, secure: bool) -> bool:
    """Whether `origin` is the page's that a request for `host` over http, or https (`secure`), comes from.

    The sites of CSRF_TRUSTED_ORIGINS are ours too: behind a server that changes the host, BASE_URL is.
    """
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    name, _port = split_domain_port(host)
    scheme = "https" if secure else "http"
    return origin.lower() == f"{scheme}://{host.lower()}" and validate_host(name, settings.ALLOWED_HOSTS)


def of_handshake(scope: Any) -> tuple[str | None, bool]:
    """The origin that a WebSocket's handshake names, None without any, and whether it is ours.

    A foreign one is noted in the security log.
    """
    headers = scope["headers"]
    origins, hosts = _all(headers, b"origin"), _all(headers, b"host")
    if not origins:
        return None, False
    fits = len(origins) == 1 and len(hosts) == 1 and is_ours(origins[0], hosts[0], _is_secure(scope))
    if not fits:
        note(Kind.FOREIGN_ORIGIN, view=scope.get("path"), network=network_of(_address(scope)))
    return origins[0], fits


def _address(scope: Any) -> str | None:
    """Where the handshake comes from; what the operator's own proxies say of it counts first."""
    count = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    passed = ",".join(_all(scope["headers"], b"x-forwarded-for")).split(",")
    if count and len(passed) >= count and passed[-count].strip():
        return passed[-count].strip()
    client = scope.get("client")
    return str(client[0]) if client else None


def _is_secure(scope: Any) -> bool:
    """As `HttpRequest.is_secure()` tells it."""
    header = settings.SECURE_PROXY_SSL_HEADER
    if header:
        name, value = header
        sent = _all(scope["headers"], name.removeprefix("HTTP_").replace("_", "-").lower().encode())
        if sent:
            return sent[0].split(",", 1)[0].strip() == value
    return scope.get("scheme") in ("https", "wss")


def _all(headers: list[tuple[bytes, bytes]], wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in headers if name == wanted]
