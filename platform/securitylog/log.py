"""One line for each thing that matters to security, with ids and no values.

A line is written at once. So it may tell of something that was rolled back right after; none is missing. A crash loses
no line that was handed to the log.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.http import HttpRequest

logger = logging.getLogger("plumbline.security")

MOST_IDS = 50
"""Ids of one line; it says how many there are in all."""
_NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,200}")
"""What may be in a line: ids, names of views and models, networks. No address of a person, and nothing with a space."""
_KEPT_OF_ADDRESS = {4: 24, 6: 48}
"""Bits. The rest tells one person from another, and is not needed to see where an attack comes from."""


class Kind(StrEnum):
    """What happened. The names are read by programs: they are kept from version to version."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    LOCKED_OUT = "locked_out"
    """Too many wrong passwords or codes: the right one is refused, too, for a while."""
    SIGNED_OUT = "signed_out"
    SESSIONS_ENDED = "sessions_ended"
    """All sessions of a person but, where it was they, the one that did it."""
    SIGNED_UP = "signed_up"
    SIGN_UP_FORGOTTEN = "sign_up_forgotten"
    """Nobody confirmed its address in time, so it was removed."""
    WRONG_CODE = "wrong_code"
    """Of a mail, of an authenticator app, or a recovery code. For a second factor the password was right."""
    RECOVERY_CODE_USED = "recovery_code_used"
    CONFIRMATION_FAILED = "confirmation_failed"
    """Somebody who is signed in did not know the password that a delicate page asked for."""
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    PASSWORD_RESET = "password_reset"  # noqa: S105
    ADDRESS_CHANGED = "address_changed"
    SECOND_FACTOR_ON = "second_factor_on"
    SECOND_FACTOR_OFF = "second_factor_off"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    DENIED = "denied"
    CSRF_FAILED = "csrf_failed"
    FOREIGN_ORIGIN = "foreign_origin"
    """A page of another site sent a cookie of ours."""
    TOO_MANY = "too_many"
    """A request where people come in was refused for its number."""
    RIGHTS_CHANGED = "rights_changed"
    ADMINISTRATION = "administration"
    """Something was made, changed, deleted or done in the administration."""
    SETUP_LINK_MADE = "setup_link_made"
    BACKUP_MADE = "backup_made"
    RESTORED = "restored"


ALARMING = frozenset(
    {
        Kind.SIGN_IN_FAILED,
        Kind.LOCKED_OUT,
        Kind.WRONG_CODE,
        Kind.RECOVERY_CODE_USED,
        Kind.CONFIRMATION_FAILED,
        Kind.DENIED,
        Kind.CSRF_FAILED,
        Kind.FOREIGN_ORIGIN,
        Kind.TOO_MANY,
    }
)
"""At WARNING; the others are at INFO."""


def _of_the_connection(request: HttpRequest) -> str | None:
    address: str | None = request.META.get("REMOTE_ADDR")
    return address


address_of: Callable[[HttpRequest], str | None] = _of_the_connection
"""Where a request comes from. `accounts` sets it, so that it is what the limits on guessing take, proxies included."""


def note(kind: Kind, request: HttpRequest | None = None, **facts: Any) -> None:
    """Write a line of `kind`, with ids of people and things by name, and with the network of the request.

    Facts that are None are left out; of a list of ids the first MOST_IDS are written, and how many there are.
    """
    if request is not None:
        facts["network"] = network_of(address_of(request))
    told: dict[str, str] = {"event": str(kind)}
    for name, value in facts.items():
        if isinstance(value, list | tuple):
            told[name] = ",".join(_cleaned(each) for each in value[:MOST_IDS])
            if len(value) > MOST_IDS:
                told[f"{name}_in_all"] = str(len(value))
        elif value is not None:
            told[name] = _cleaned(value)
    level = logging.WARNING if kind in ALARMING else logging.INFO
    logger.log(level, "%s", " ".join(f"{name}={value}" for name, value in told.items()), extra={"facts": told})


def network_of(address: str | None) -> str | None:
    """The network that an address is in: the first three bytes, or 48 bits of IPv6. None for what is no address."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network((parsed, _KEPT_OF_ADDRESS[parsed.version]), strict=False))


def operator() -> str:
    """The person who runs a command: the number of the user on this machine, for a name may be a person's."""
    return f"uid:{os.getuid()}"


def _cleaned(value: Any) -> str:
    text = str(value)
    return text if isinstance(value, UUID | int) or _NAME.fullmatch(text) else "-"
