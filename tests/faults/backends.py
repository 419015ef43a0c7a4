"""What the nemesis is let loose on: the product's bus, and the plain alternative to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Backend:
    """A way of bringing events to their subscribers. Everything else is the product in both."""

    name: str
    settings: str
    has_outbox: bool
    """Whether what is undelivered can be seen, and is bound to be delivered."""


PRODUCT = Backend("product", "tests.faults.settings", has_outbox=True)
PLAIN = Backend("plain", "tests.faults.settings_plain", has_outbox=False)
BACKENDS = {backend.name: backend for backend in (PRODUCT, PLAIN)}
