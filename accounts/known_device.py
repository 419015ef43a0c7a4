"""A browser in which somebody has signed in before knows their address: its attempts are counted apart, so that a
stranger's guesses do not keep the owner out of it.

After OWASP, "Slow Down Online Guessing Attacks with Device Cookies". The cookie lets nobody in: it only says at which
counter an attempt is counted.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac

COOKIE = "known_device"
"""Over https `config.cookies` gives it the prefix `__Host-`, as it does to all cookies."""
DAYS = 180
MOST = 8
"""Addresses that one browser knows; the oldest goes."""
_SALT = "accounts.known_device"


def of(request: HttpRequest, address: str) -> str | None:
    """What names this browser, where it knows the address."""
    known = _read(request)
    return str(known["device"]) if _digest(address) in known["addresses"] else None


def remember(request: HttpRequest, response: HttpResponseBase, address: str) -> None:
    """Let this browser know the address from now on."""
    known = _read(request)
    digest = _digest(address)
    addresses = [*(each for each in known["addresses"] if each != digest), digest][-MOST:]
    response.set_cookie(
        COOKIE,
        signing.dumps({**known, "addresses": addresses}, salt=_SALT),
        max_age=DAYS * 86_400,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> dict[str, Any]:
    try:
        known = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=DAYS * 86_400)
    except (signing.BadSignature, UnicodeError):
        known = None
    return known or {"device": secrets.token_urlsafe(12), "addresses": []}


def _digest(address: str) -> str:
    """The browser's next user does not read the addresses of those before."""
    return salted_hmac(_SALT, address, algorithm="sha256").hexdigest()[:16]
