"""How often a password may be guessed: [ADR 32](../docs/adr/0032-guessing.md).

Counted are attempts that fail, alike for addresses that somebody has and for those that nobody has. A limit by the
address alone would let anybody keep its owner out, and one by the network alone would not stop guesses from many.
"""

from __future__ import annotations

from dataclasses import dataclass

from allauth.core.internal import ratelimit
from allauth.core.internal.ratelimit import RateLimitUsage
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts import known_device
from accounts.waiting import seconds_to_wait
from throttling.words import in_words

_APP = "accounts"


@dataclass(frozen=True)
class Limit:
    """So many failed attempts within so many seconds."""

    name: str
    amount: int
    seconds: int

    @property
    def rates(self) -> dict[str, str]:
        return {self.name: f"{self.amount}/{self.seconds}s/key"}


HERE = Limit("guesses_here", 5, 300)
"""For one address: from one network, from one browser that knows it, or by somebody who is signed in."""
ELSEWHERE = Limit("guesses", 50, 3600)
"""For one address from all networks together, without browsers that know it. NIST SP 800-63B-4, section 3.2.2, allows
100 in a row."""
NETWORK = Limit("guesses_of_network", 100, 300)
"""From one network for all addresses: a training room shares one."""


class TooManyError(ValidationError):
    """The attempt is refused without a look at the password; `accounts.waiting` knows for how long."""

    def __init__(self) -> None:
        message = _(
            "Too many failed attempts. Wait %(wait)s, then try again. Or recover your password by mail: that works at "
            "once."
        )
        wait = {"wait": in_words(seconds_to_wait())}
        super().__init__(message, code="too_many_login_attempts", params=wait)


def take(request: HttpRequest, address: str) -> RateLimitUsage:
    """Count an attempt as one that fails; roll the usage back where it did not. Raises TooManyError.

    Only one of two simultaneous attempts gets the last place.
    """
    taken = RateLimitUsage(usage=[])
    for limit, key in _counted(request, address):
        usage = ratelimit.consume(request, app=_APP, action=limit.name, config=limit.rates, key=key)
        if usage is None:
            taken.rollback()
            raise TooManyError
        taken.usage += usage.usage
    return taken


def forget(request: HttpRequest, address: str) -> None:
    """Begin from zero, for somebody who has shown that the mailbox is theirs."""
    for limit, key in _counted(request, address):
        if limit is not NETWORK:
            ratelimit.clear(request, app=_APP, action=limit.name, config=limit.rates, key=key)


def _counted(request: HttpRequest, address: str) -> list[tuple[Limit, str]]:
    if request.user.is_authenticated:
        return [(HERE, f"person {request.user.pk}")]
    network = ratelimit.get_ip(request)
    device = known_device.of(request, address)
    if device:
        return [(HERE, f"{address} device {device}")]
    return [(NETWORK, network), (HERE, f"{address} network {network}"), (ELSEWHERE, address)]
