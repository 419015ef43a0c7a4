"""An authenticator app as RFC 6238 describes it, for tests that sign in with one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

PERIOD = 30
"""Seconds for which a code is shown."""


def code(secret: str, at: float) -> str:
    """The six digits that the app shows at a time."""
    key = base64.b32decode(secret.replace(" ", ""), casefold=True)
    digest = hmac.new(key, int(at // PERIOD).to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def code_for_a_server(secret: str) -> str:
    """The code of now for a server on its own clock; one that is about to change is waited out, as people do."""
    left = PERIOD - time.time() % PERIOD
    if left < 5:
        time.sleep(left)
    return code(secret, time.time())
